-- Who there is. Machines enter by registration or, where the configuration allows it, with their first frame.
create table machine (
    machine_id     bigint      not null generated always as identity primary key,
    serial         text        not null unique,  -- as in topic, certificate and frame
    name           text,                         -- what people call it; null: the serial
    model          text,                         -- code of the machine catalogue, mtz-3522
    registered_at  timestamptz not null default now()
);
