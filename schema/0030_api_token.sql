-- Tokens of other systems and of scripts. The secret is shown once, when it is made; here is only its digest.
create table api_token (
    api_token_id  bigint      not null generated always as identity primary key,
    client        text        not null unique,  -- first part of the token and OAuth 2 client id; no secret
    digest        bytea       not null,         -- sha-256 of the secret, which has 256 random bits
    name          text        not null,         -- whom or what it is for
    scopes        text[]      not null,         -- what it may do: aemp, capture
    created_at    timestamptz not null default now(),
    expires_at    timestamptz,                  -- null: when it is revoked
    revoked_at    timestamptz,
    last_used_at  timestamptz                   -- to the minute
);

-- Short-lived bearer tokens, given for a client's secret (OAuth 2 client credentials).
create table api_access (
    digest        bytea       not null primary key,  -- sha-256 of the bearer token
    api_token_id  bigint      not null references api_token on delete cascade,
    expires_at    timestamptz not null
);

create index api_access_token on api_access (api_token_id);
