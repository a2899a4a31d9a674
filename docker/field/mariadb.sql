-- Field on MariaDB: the demo's tables, with made-up rows that are the same every time.
set names utf8mb4;
create table accounts (
    id bigint primary key,
    external_id varchar(255) not null unique,
    name varchar(255) not null,
    email varchar(254) not null,
    plan enum('free', 'pro', 'business') not null,
    active boolean not null,
    credit decimal(12, 2),
    created_at datetime(6) not null
) character set utf8mb4 collate utf8mb4_bin;
create table projects (
    id bigint primary key,
    account_id bigint not null,
    parent_id bigint,
    name varchar(255) not null,
    budget decimal(12, 2),
    status varchar(20) not null,
    created_at datetime not null,
    unique (account_id, name),
    foreign key (account_id) references accounts (id),
    foreign key (parent_id) references projects (id)
) character set utf8mb4 collate utf8mb4_bin;
create table users (
    id bigint primary key,
    account_id bigint not null,
    email varchar(254) not null unique,
    full_name varchar(255) not null,
    locale varchar(35),
    created_at datetime not null,
    foreign key (account_id) references accounts (id)
) character set utf8mb4 collate utf8mb4_bin;
create table memberships (
    project_id bigint not null,
    user_id bigint not null,
    role varchar(20) not null,
    joined_at datetime not null,
    primary key (project_id, user_id),
    foreign key (project_id) references projects (id),
    foreign key (user_id) references users (id)
) character set utf8mb4 collate utf8mb4_bin;

insert into accounts
select seq, concat('C-', 10000 + seq),
    concat(elt(1 + seq % 5, 'Nordwind GmbH', 'Étoile & Cie', 'さくら商事', 'O''Brien "Ltd"', ' Łódzkie  Zakłady '), ' ', seq),
    concat('office.', seq, '@example.com'), elt(1 + seq % 3, 'free', 'pro', 'business'), seq % 9 <> 0,
    if(seq % 11 = 0, null, (seq * 7919 % 1000000) / 100),
    timestamp('2020-01-01 00:00:00.123456') + interval seq * 433 minute
from seq_1_to_200;

-- Some parents come after their children.
set foreign_key_checks = 0;
insert into projects
select seq, 1 + (seq - 1) div 6,
    case when seq % 6 = 1 then null when seq % 6 = 2 then seq + 1 when seq % 6 = 3 then seq - 2 else seq - 1 end,
    concat(elt(1 + seq % 5, 'Website', 'Zürich 🚀', 'Lager', 'two\nlines', 'NULL'), ' ', seq),
    if(seq % 13 = 0, null, (seq * 104729 % 10000000) / 100),
    elt(1 + seq % 5, 'planned', 'active', 'paused', 'done', 'archived'),
    timestamp('2021-01-01 00:00:00') + interval seq * 187 minute
from seq_1_to_1200;
set foreign_key_checks = 1;

insert into users
select seq, 1 + (seq - 1) % 200, concat('Person.', seq, '@Example.org'),
    elt(1 + seq % 5, 'Zoë Müller', '山田 太郎', 'José García-López', 'محمد علي', 'Ngọc Nguyễn'),
    elt(1 + seq % 4, 'de-DE', 'ja-JP', null, 'en'),
    timestamp('2022-01-01 00:00:00') + interval seq * 61 minute
from seq_1_to_3000;

insert into memberships
select ((seq - 1) % 200) * 6 + 1 + seq % 6, seq, elt(1 + seq % 4, 'owner', 'admin', 'member', 'viewer'),
    timestamp('2023-01-01 00:00:00') + interval seq * 17 minute
from seq_1_to_3000;

-- The login that haulier reads with may read, and nothing else.
revoke all privileges on field.* from haulier_reader@'%';
grant select on field.* to haulier_reader@'%';
