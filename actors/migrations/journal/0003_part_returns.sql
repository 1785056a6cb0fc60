-- A receipt may be taken back in parts: each receipt that took something back stands here once.
create temp table kept as select receipt, by_receipt from returned;
drop table returned;
create table returned (receipt text not null, by_receipt text not null, primary key (receipt, by_receipt)) without rowid;
insert into returned select receipt, by_receipt from kept;
drop table kept;
