-- Farms and their fields. Work is found on fields by the boundary that is in force when it is computed, for whatever
-- time: a boundary is corrected, not scheduled.
create table farm (
    farm_id   bigint  not null generated always as identity primary key,
    name      text    not null unique,
    customer  text                      -- whom it belongs to, as an import names him
);

create table field (
    field_id    bigint            not null generated always as identity primary key,
    farm_id     bigint            references farm,
    name        text              not null,
    code        text,                        -- the farm's own number for it
    crop        text,
    boundary    json              not null,  -- GeoJSON MultiPolygon, WGS 84
    area_m2     double precision  not null check (area_m2 > 0),  -- on the ellipsoid
    source      text              not null,  -- where the boundary comes from: a file, a session
    revision    integer           not null default 1,  -- counts every change of the row
    changed_at  timestamptz       not null default now(),
    removed_at  timestamptz                  -- null: in use
);

-- A code names one field of a farm; so does a name where there is no code.
create unique index field_code on field (coalesce(farm_id, 0), code) where removed_at is null and code is not null;
create unique index field_name on field (coalesce(farm_id, 0), name) where removed_at is null and code is null;

-- What stood before.
create table field_revision (
    field_id     bigint            not null references field,
    revision     integer           not null,
    name         text              not null,
    code         text,
    crop         text,
    boundary     json              not null,
    area_m2      double precision  not null,
    source       text              not null,
    changed_at   timestamptz       not null,
    replaced_at  timestamptz       not null default now(),
    primary key (field_id, revision)
);
