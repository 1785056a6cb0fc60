-- The control database: who the companies, their shops and their people are. No sale and no private key is in here.

-- A company at head office, with what the broker grants it.
create table tenant (
    tenant text collate "C" primary key,
    name text collate "C" not null,
    quota_bytes bigint not null,
    keep_days bigint not null,
    added_at bigint not null
);

-- A shop and the public halves of its two keys: one signs its journal, one logs in at the broker.
create table store (
    tenant text collate "C" not null references tenant (tenant),
    store text collate "C" not null,
    name text collate "C" not null,
    signing_key text collate "C" not null,
    nats_key text collate "C" not null,
    added_at bigint not null,
    primary key (tenant, store)
);

-- Broker logins which are void, with the unix second up to which. A row stays for ever: without it the login works again.
create table revoked_login (
    tenant text collate "C" not null references tenant (tenant),
    nats_key text collate "C" not null,
    until bigint not null,
    primary key (tenant, nats_key)
);

-- People who sign in at head office.
create table login (
    tenant text collate "C" not null references tenant (tenant),
    login text collate "C" not null,
    password_hash text collate "C" not null,
    added_at bigint not null,
    primary key (tenant, login)
);

-- Who is signed in. Only the hash of a token is kept, so reading this table opens no door.
create table token (
    token_hash bytea primary key,
    tenant text collate "C" not null,
    login text collate "C" not null,
    expires_at bigint not null,
    foreign key (tenant, login) references login (tenant, login) on delete cascade
);
