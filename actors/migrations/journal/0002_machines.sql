-- What was asked of a machine and has not ended: an effect by its name, a card payment by its command. Looked at when the box is back.
create table open_job (
    name text primary key,
    device text not null,
    position integer not null,
    -- The entry that says the machine is asked next.
    begun integer
) without rowid;
create index open_job_device on open_job (device, position);

-- Machines' facts are as frequent as tickets, and are never read as a whole.
drop index entry_rare;
create index entry_rare on entry (kind, position) where kind not in (8, 9, 13, 14, 15, 17, 18);

drop trigger write_batch;
drop view batch;

create view batch (entries, commands, counters, tills, stock, open_tenders, closed_tickets, returned, segments, jobs, begun_jobs, ended_jobs) as
    select '[]', '[]', '[]', '[]', '[]', '[]', '[]', '[]', '[]', '[]', '[]', '[]' where false;

create trigger write_batch instead of insert on batch
begin
    insert into entry (position, epoch, seq, kind, hash, bytes, ticket, receipt)
        select value ->> 0, value ->> 1, value ->> 2, value ->> 3, unhex(value ->> 4), unhex(value ->> 5), unhex(value ->> 6), value ->> 7
        from json_each(new.entries);
    insert into command (command_id, body_hash, position)
        select unhex(value ->> 0), unhex(value ->> 1), value ->> 2 from json_each(new.commands);
    insert into counter (register, series, last)
        select value ->> 0, value ->> 1, value ->> 2 from json_each(new.counters) where true
        on conflict do update set last = excluded.last;
    insert into till (till, version, state)
        select value ->> 0, value ->> 1, value ->> 2 from json_each(new.tills) where true
        on conflict do update set version = excluded.version, state = excluded.state;
    insert into stock (sku, on_hand)
        select value ->> 0, value ->> 1 from json_each(new.stock) where true
        on conflict do update set on_hand = on_hand + excluded.on_hand;
    insert into open_tender (ticket, position)
        select unhex(value ->> 0), value ->> 1 from json_each(new.open_tenders);
    delete from open_tender where ticket in (select unhex(value) from json_each(new.closed_tickets));
    insert into returned (receipt, by_receipt)
        select value ->> 0, value ->> 1 from json_each(new.returned);
    insert into segment (epoch, first, last, body)
        select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(new.segments);
    insert into open_job (name, device, position)
        select value ->> 0, value ->> 1, value ->> 2 from json_each(new.jobs);
    update open_job set begun = begun_now.value ->> 1 from json_each(new.begun_jobs) as begun_now where open_job.name = begun_now.value ->> 0;
    delete from open_job where name in (select value from json_each(new.ended_jobs));
end;
