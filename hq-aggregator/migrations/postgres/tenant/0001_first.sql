-- The database of one company. Amounts are minor units, quantities thousandths, instants microseconds since 1970 (UTC).

-- Journal entries of the stores, byte for byte as they were written there. Branch 0 is the chain which came first; any other is a
-- stretch that waits for a gap before it to close, or a second chain which a person has to look at.
create table entry (
    store text collate "C" not null,
    epoch bigint not null,
    seq bigint not null,
    hash bytea not null,
    prev_hash bytea not null,
    branch bigint not null,
    bytes bytea not null,
    arrived_at bigint not null,
    primary key (store, epoch, seq, hash)
);
create unique index entry_main on entry (store, epoch, seq) where branch = 0;
create index entry_by_branch on entry (store, epoch, branch, seq);

-- How far each projection has taken a branch in. One which met an entry it cannot read stays behind.
create table progress (
    store text collate "C" not null,
    epoch bigint not null,
    branch bigint not null,
    projection text collate "C" not null,
    applied bigint not null,
    primary key (store, epoch, branch, projection)
);

-- What a person has to look at: entries which could not be read ('unreadable'), and second chains ('conflict', from `seq` on).
-- The bytes of both are in `entry`.
create table quarantine (
    store text collate "C" not null,
    epoch bigint not null,
    branch bigint not null,
    seq bigint not null,
    reason text collate "C" not null check (reason in ('unreadable', 'conflict')),
    why text collate "C" not null,
    found_at bigint not null,
    resolved_at bigint,
    primary key (store, epoch, branch, seq, reason)
);

-- Projection: sales and returns with a receipt number.
create table sale (
    store text collate "C" not null,
    epoch bigint not null,
    seq bigint not null,
    branch bigint not null,
    register text collate "C" not null,
    series bigint not null,
    number bigint not null,
    ended text collate "C" not null,
    at bigint not null,
    business_day text collate "C" not null,
    till text collate "C" not null,
    net bigint not null,
    tax bigint not null,
    cash_rounding bigint not null,
    due bigint not null,
    currency text collate "C" not null,
    primary key (store, epoch, seq, branch)
);
create index sale_by_day on sale (business_day, store);
create index sale_by_receipt on sale (store, register, series, number);

-- Projection: the tax of each sale by class.
create table sale_tax (
    store text collate "C" not null,
    epoch bigint not null,
    seq bigint not null,
    branch bigint not null,
    line bigint not null,
    tax_class text collate "C" not null,
    rate text collate "C" not null,
    net bigint not null,
    tax bigint not null,
    primary key (store, epoch, seq, branch, line)
);

-- Projection: what is on hand.
create table stock (
    store text collate "C" not null,
    sku text collate "C" not null,
    on_hand bigint not null,
    primary key (store, sku)
);

-- Projection: the cash of each shift of each till. `counted` is null while the shift is open.
create table shift (
    store text collate "C" not null,
    till text collate "C" not null,
    shift text collate "C" not null,
    float bigint not null,
    cash_taken bigint not null,
    change bigint not null,
    cash_refunds bigint not null,
    paid_in bigint not null,
    paid_out bigint not null,
    drops bigint not null,
    counted bigint,
    primary key (store, till, shift)
);

-- Orders to stores, numbered from 1 per store. The order is null when only the store's answer is known (a restored backup).
create table directive (
    store text collate "C" not null,
    number bigint not null,
    sku text collate "C",
    price bigint,
    currency text collate "C",
    effective_at bigint,
    ordered_by text collate "C",
    ordered_at bigint not null,
    state text collate "C" not null check (state in ('pending', 'followed', 'refused')),
    why text collate "C",
    primary key (store, number)
);
create index directive_pending on directive (store, number) where state = 'pending';

-- What a store said of itself last.
create table announced (
    store text collate "C" primary key,
    at bigint not null,
    epoch bigint not null,
    head bigint not null,
    directives_through bigint not null,
    version text collate "C" not null
);

-- The catalog as head office knows it: one row, and its items.
create table catalog (
    "only" bigint primary key check ("only" = 1),
    version bigint not null,
    hash text collate "C" not null,
    currency text collate "C" not null,
    prices text collate "C" not null,
    imported_at bigint not null
);
create table product (
    sku text collate "C" primary key,
    name text collate "C" not null,
    codes text collate "C" not null,
    tax_class text collate "C" not null,
    price bigint not null
);

-- Answers already given to a caller's Idempotency-Key.
create table answered (
    login text collate "C" not null,
    key text collate "C" not null,
    asked text collate "C" not null,
    answer text collate "C" not null,
    at bigint not null,
    primary key (login, key)
);
