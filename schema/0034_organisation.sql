-- Whose machines they are. A token that is limited to an organisation sees its machines alone; a machine without one is
-- seen by unlimited tokens only.
create table organisation (
    organisation_id  bigint       not null generated always as identity primary key,
    name             text         not null unique,
    created_at       timestamptz  not null default now()
);

alter table machine add column organisation_id bigint references organisation;    -- null: nobody has said whose
alter table api_token add column organisation_id bigint references organisation;  -- null: every machine

-- Pages of a limited fleet, in the order of registration.
create index machine_organisation on machine (organisation_id, machine_id);
