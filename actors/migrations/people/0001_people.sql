-- The only place that knows names. Everything else refers to people by id.
create table staff (id text primary key, name text not null, verifier text not null) without rowid;

-- Wrong PINs, per person, device and store; survives a restart.
create table throttle (who text primary key, failures integer not null, blocked_until_micros integer not null) without rowid;

-- Codes that let a device become a register: single use, short-lived.
create table pairing (code_hash blob primary key, expires_micros integer not null, used_by blob) without rowid;
