-- What other makers' servers told of a machine, each reading once. A server repeats its last reading until there is a
-- newer one, and gives no number that could tell a repeat. This table gives the number: the reading then goes through
-- the ledger like a machine's own, and importing again adds nothing.
create table foreign_reading (
    machine_id   bigint      not null,
    boot_id      bigint      not null,  -- made from the serial: one for all that servers tell of a machine
    recorded_at  timestamptz not null,
    content      text        not null,  -- signal=raw value of each, ascending
    sequence     bigint      not null,  -- as in the ledger, from 0
    primary key (machine_id, boot_id, recorded_at, content),
    unique (machine_id, boot_id, sequence)
);
