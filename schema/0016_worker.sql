-- People who work, as imports name them. Sessions carry the name that the machine's task gives; this is the list to
-- choose from.
create table worker (
    worker_id  bigint  not null generated always as identity primary key,
    name       text    not null unique
);
