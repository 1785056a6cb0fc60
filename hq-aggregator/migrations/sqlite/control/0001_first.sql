-- The control database: who the companies, their shops and their people are. No sale and no private key is in here.

-- A company at head office, with what the broker grants it.
create table tenant (
    tenant text primary key,
    name text not null,
    quota_bytes bigint not null,
    keep_days bigint not null,
    added_at bigint not null
);

-- A shop and the public halves of its two keys: one signs its journal, one logs in at the broker.
create table store (
    tenant text not null references tenant (tenant),
    store text not null,
    name text not null,
    signing_key text not null,
    nats_key text not null,
    added_at bigint not null,
    primary key (tenant, store)
);

-- Broker logins which are void, with the unix second up to which. A row stays for ever: without it the login works again.
create table revoked_login (
    tenant text not null references tenant (tenant),
    nats_key text not null,
    until bigint not null,
    primary key (tenant, nats_key)
);

-- People who sign in at head office.
create table login (
    tenant text not null references tenant (tenant),
    login text not null,
    password_hash text not null,
    added_at bigint not null,
    primary key (tenant, login)
);

-- Who is signed in. Only the hash of a token is kept, so reading this table opens no door.
create table token (
    token_hash blob primary key,
    tenant text not null,
    login text not null,
    expires_at bigint not null,
    foreign key (tenant, login) references login (tenant, login) on delete cascade
);
