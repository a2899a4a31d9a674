-- Field on PostgreSQL: the demo's tables, with made-up rows that are the same every time.
create table accounts (
    id bigint primary key,
    external_id text not null unique,
    name text not null,
    email text not null,
    plan text not null check (plan in ('free', 'pro', 'business')),
    active boolean not null,
    credit numeric(12, 2),
    created_at timestamptz not null
);
create table projects (
    id bigint primary key,
    account_id bigint not null references accounts (id),
    parent_id bigint references projects (id),
    name text not null,
    budget numeric(12, 2),
    status text not null,
    created_at timestamptz not null,
    unique (account_id, name)
);
create table users (
    id bigint primary key,
    account_id bigint not null references accounts (id),
    email text not null unique,
    full_name text not null,
    locale text,
    created_at timestamptz not null
);
create table memberships (
    project_id bigint not null references projects (id),
    user_id bigint not null references users (id),
    role text not null,
    joined_at timestamptz not null,
    primary key (project_id, user_id)
);
create index on projects (account_id);
create index on users (account_id);
create index on memberships (user_id);

insert into accounts
select n, 'C-' || 10000 + n,
    (array['Nordwind GmbH', 'Étoile & Cie', 'さくら商事', E'O''Brien "Ltd"', ' Łódzkie  Zakłady '])[1 + n % 5] || ' ' || n,
    'office.' || n || '@example.com', (array['free', 'pro', 'business'])[1 + n % 3], n % 9 <> 0,
    case when n % 11 = 0 then null else (n * 7919 % 1000000) / 100.0 end,
    timestamptz '2020-01-01 00:00:00Z' + n * interval '7 hours 13 minutes 0.123456 seconds'
from generate_series(1, 200) as n;

-- Six projects an account; the second and later ones hang in a tree, and every fifth parent has the higher id.
insert into projects
select n, 1 + (n - 1) / 6,
    case when n % 6 = 1 then null when n % 6 = 2 then n + 1 when n % 6 = 3 then n - 2 else n - 1 end,
    (array['Website', 'Zürich 🚀', 'Lager', E'two\nlines', 'NULL'])[1 + n % 5] || ' ' || n,
    case when n % 13 = 0 then null else (n * 104729 % 10000000) / 100.0 end,
    (array['planned', 'active', 'paused', 'done', 'archived'])[1 + n % 5],
    timestamptz '2021-01-01 00:00:00Z' + n * interval '3 hours 7 minutes'
from generate_series(1, 1200) as n;

insert into users
select n, 1 + (n - 1) % 200, 'Person.' || n || '@Example.org',
    (array['Zoë Müller', '山田 太郎', 'José García-López', 'محمد علي', 'Ngọc Nguyễn'])[1 + n % 5],
    (array['de-DE', 'ja-JP', null, 'en'])[1 + n % 4],
    timestamptz '2022-01-01 00:00:00Z' + n * interval '1 hour 1 minute'
from generate_series(1, 3000) as n;

-- Every user is in one project of the same account.
insert into memberships
select ((n - 1) % 200) * 6 + 1 + n % 6, n, (array['owner', 'admin', 'member', 'viewer'])[1 + n % 4],
    timestamptz '2023-01-01 00:00:00Z' + n * interval '17 minutes'
from generate_series(1, 3000) as n;
