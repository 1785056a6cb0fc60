-- The web shop of this company at Shopify: one row, once it is connected. Its token and secret lie in a file of their own.
create table shopify_link (
    one bigint primary key check (one = 1),
    url text collate "C" not null,
    domain text collate "C" not null,
    api_version text collate "C" not null,
    connected_at bigint not null,
    -- What Shopify said of itself, since it was asked.
    shop_name text collate "C",
    currency text collate "C",
    checked_at bigint,
    -- What is wrong with the line to Shopify now; null when nothing is.
    trouble text collate "C",
    trouble_at bigint
);

-- Which place at Shopify a shop is. Only what happens in these shops is told to Shopify.
create table shopify_location (
    store text collate "C" primary key,
    location text collate "C" not null
);

-- What Shopify calls the things that are sold, as far as it was asked or said so. `said_at` orders its own messages.
create table shopify_item (
    sku text collate "C" primary key,
    variant text collate "C" not null,
    item text collate "C" not null,
    title text collate "C" not null,
    price text collate "C" not null,
    said_at bigint not null
);

-- What is to be told to Shopify, written in the transaction that took the journal entry in. `key` belongs to the entry, so that
-- the same entry is never told twice. `sent` is the question as it went out first: a repeat has to be word for word the same.
create table shopify_outbox (
    number bigint primary key,
    key text collate "C" not null unique,
    kind text collate "C" not null check (kind in ('level', 'change', 'order', 'refund')),
    store text collate "C" not null,
    sku text collate "C" not null,
    receipt text collate "C" not null,
    body text collate "C" not null,
    state text collate "C" not null check (state in ('waiting', 'asked', 'done', 'refused', 'unclear', 'skipped')),
    attempt bigint not null,
    tries bigint not null,
    looked bigint not null,
    sent text collate "C",
    asked_at bigint,
    next_at bigint not null,
    answer text collate "C",
    why text collate "C",
    made_at bigint not null,
    ended_at bigint
);
create index shopify_outbox_open on shopify_outbox (next_at, number) where state in ('waiting', 'asked');
create index shopify_outbox_open_stock on shopify_outbox (store, sku, number) where state in ('waiting', 'asked');
create index shopify_outbox_receipt on shopify_outbox (store, receipt) where kind = 'order';
create index shopify_outbox_state on shopify_outbox (state, kind, number);

-- Messages from Shopify whose signature was right, each once; `said` is what became of it.
create table shopify_delivery (
    webhook_id text collate "C" primary key,
    topic text collate "C" not null,
    body bytea not null,
    received_at bigint not null,
    said text collate "C",
    done_at bigint
);
create index shopify_delivery_open on shopify_delivery (received_at) where done_at is null;
