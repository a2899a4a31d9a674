//! The keys of every table that a plan or site may hold. The JSON Schemas are held against this page by a test.

/// A kind of table.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Its name in the JSON Schema.
    pub(crate) name: &'static str,
    /// What messages call it.
    pub(crate) what: &'static str,
    /// The keys that it may hold.
    pub(crate) keys: &'static [&'static str],
}

macro_rules! shapes {
    ($all:ident: $($id:ident = $name:literal, $what:literal, [$($key:literal),* $(,)?];)*) => {
        $(pub(crate) const $id: Shape = Shape { name: $name, what: $what, keys: &[$($key),*] };)*

        /// All of them.
        #[cfg(test)]
        pub(crate) const $all: &[&Shape] = &[$(&$id),*];
    };
}

shapes! { PLAN_SHAPES:
    PLAN = "plan", "the plan", [
        "name", "tenant", "retry", "validate", "entity", "schedule", "durations", "tenants", "window", "blackout", "wave",
        "audiences", "notice", "task", "stage", "gate", "people", "hooks", "checks", "snapshot", "question", "preflight",
    ];
    TASK = "task", "a task", ["name", "at", "owner"];
    RETRY = "retry", "`retry`", ["attempts", "base", "cap", "retry_after_cap"];
    VALIDATE = "validate", "`validate`", ["fresh_for"];
    STAGE = "stage", "a stage", [
        "name", "kind", "needs", "tenants", "waves", "window", "optional", "no_return", "owner", "start", "enter",
        "leave", "proof", "most_dead", "lasts", "expect", "cover",
    ];
    STAGE_START = "stage_start", "`start`", ["fibres", "produce_rate", "workers", "rate"];
    GATE = "gate", "a gate", [
        "before", "must", "should", "approvers", "override_role", "fresh_for", "expires", "due", "on_timeout", "auto",
    ];
    APPROVERS = "approvers", "`approvers`", ["role", "min", "not_the_starter"];
    PERSON = "person", "a person", ["roles", "zone", "away", "cover"];
    HOOK = "hook", "a hook", ["exec", "webhook", "expect", "timeout", "retries"];
    OWN_CHECK = "own_check", "a check", ["exec", "sql", "on", "least", "most", "http", "person", "timeout"];
    SNAPSHOT = "snapshot", "`[snapshot]`", ["take", "check", "restore", "max_age", "approvers"];
    QUESTION = "question", "a question", ["ask", "owner", "blocks"];
    PLAN_PREFLIGHT = "preflight", "`[preflight]`", ["write_probe"];
    WRITE_PROBE = "write_probe", "`write_probe`", ["method", "path", "body", "id", "remove"];
    SCHEDULE = "schedule", "`[schedule]`", ["zone", "t0", "committed", "support", "impact", "benefit"];
    DURATIONS = "durations", "`[durations]`", [
        "snapshot", "snapshot_check", "restore", "smoke", "tenant", "stages",
    ];
    TENANT = "tenant", "a tenant", ["name", "zone", "tags", "contacts", "usage", "events", "excluded"];
    EVENT = "event", "an event", ["name", "zone", "at", "days", "from", "to"];
    WINDOW = "window", "a window", [
        "name", "zone", "at", "days", "from", "to", "cutoff", "at_end", "decision_point", "max_extension",
        "restore_may_overrun",
    ];
    BLACKOUT = "blackout", "a blackout", ["name", "tenants", "zone", "at", "days", "from", "to", "said_by"];
    WAVE = "wave", "a wave", [
        "name", "tenants", "windows", "parallel", "soak", "max_failed", "not_before", "not_after", "audience",
    ];
    NOTICE = "notice", "a notice", [
        "name", "template", "at", "every", "of", "audience", "channels", "title", "text", "impact", "benefit",
    ];
    ENTITY = "entity", "an entity", [
        "name", "parent", "source", "natural_key", "fold", "fields", "push", "outcomes", "verify", "unknown",
        "target_unique", "orphans", "list", "stored", "extract",
    ];
    SOURCE = "source", "`source`", ["table", "schema", "query", "key", "where", "generation", "columns"];
    FILTER = "filter", "a condition of `where`", ["column", "equals", "in", "not_in", "null"];
    COLUMN = "column", "a column field", [
        "column", "as", "map", "trim", "lower", "empty_is_null", "default", "zone", "zero_dates", "odd_numbers",
        "nul",
    ];
    CONST = "const", "a constant field", ["const"];
    REF = "ref", "a reference field", ["ref", "by", "deferred", "numeric", "in_body"];
    ZERO_DATES = "zero_dates", "`zero_dates`", ["fixed"];
    ORPHANS = "orphans", "`orphans`", ["attach"];
    PUT = "put", "a `put` push", [
        "shape", "method", "path", "wrap", "constants", "only", "nulls", "media_type", "headers", "id", "empty",
        "update",
    ];
    LINK = "link", "a `link` push", [
        "shape", "method", "path", "wrap", "constants", "only", "nulls", "media_type", "headers", "id", "empty",
        "update",
    ];
    CREATE = "create", "a `create` push", ["shape", "create", "lookup", "update"];
    LOOKUP_THEN_WRITE = "lookup-then-write", "a `lookup-then-write` push", ["shape", "lookup", "create", "update"];
    BULK = "bulk", "a `bulk` push", [
        "shape", "method", "path", "wrap", "constants", "only", "nulls", "media_type", "headers", "max", "results",
        "update",
    ];
    REQUEST = "request", "a request", [
        "method", "path", "wrap", "constants", "only", "nulls", "media_type", "headers", "id", "empty",
    ];
    LOOKUP = "lookup", "a lookup", ["method", "path", "body", "items", "match", "id"];
    ID = "id", "`id`", ["header", "made"];
    RESULTS = "results", "`results`", ["items", "status", "id"];
    OUTCOME = "outcome", "an outcome rule", ["status", "body", "header", "is"];
    BODY_MATCH = "body_match", "a rule's `body`", ["pointer", "holds"];
    HEADER_MATCH = "header_match", "a rule's `header`", ["name", "holds"];
    LIST = "list", "`list`", ["path", "page", "items", "total", "truncated", "also", "id"];
    STORED = "stored", "`stored`", ["table", "schema", "query", "key", "where", "id"];
    EXTRACT = "extract", "a column of `extract`", [
        "column", "as", "zone", "cut", "map", "nfc", "trim", "lower", "empty_is_null", "missing_is_null", "pii", "at",
    ];
    PAGE_OFFSET = "page_offset", "an `offset` page", ["offset", "limit", "size", "first"];
    PAGE_NUMBER = "page_number", "a `page` page", ["page", "limit", "size", "first"];
    PAGE_CURSOR = "page_cursor", "a `cursor` page", ["cursor", "parameter", "limit", "size"];
    PAGE_NEXT_URL = "page_next_url", "a `next_url` page", ["next_url"];
}

shapes! { SITE_SHAPES:
    SITE = "site", "the site", [
        "source", "queue", "ledger", "target", "produce", "push", "brakes", "tolerance", "validate", "channels",
        "state", "rehearsal", "drill", "preflight",
    ];
    SITE_PREFLIGHT = "site_preflight", "`[preflight]`", ["least_free", "clocks"];
    DRILL = "drill", "`[drill]`", ["broker", "source", "target", "ledger", "away"];
    PLUG = "plug", "how it is killed and started", ["kill", "start"];
    CHANNEL_SMTP = "channel_smtp", "a mail channel", ["smtp", "from", "password", "ca_file", "insecure"];
    CHANNEL_WEBHOOK = "channel_webhook", "a webhook channel", ["webhook", "token", "insecure"];
    CHANNEL_FILE = "channel_file", "a file channel", ["file"];
    CHANNEL_COMMAND = "channel_command", "a command channel", ["command"];
    CHANNEL_RELAY = "channel_relay", "a relay channel", ["relay"];
    SITE_SOURCE = "source", "`[source]`", [
        "url", "password", "ca_file", "insecure", "connections", "statement_timeout",
    ];
    SITE_QUEUE = "queue", "`[queue]`", [
        "url", "password", "ca_file", "insecure", "name", "api_url", "prefetch",
    ];
    SITE_LEDGER = "ledger", "`[ledger]`", ["url", "password", "ca_file", "insecure", "schema", "connections"];
    SITE_TARGET = "target", "`[target]`", [
        "base_url", "auth", "headers", "check_path", "timeout", "connect_timeout", "idle_timeout", "max_reply",
        "max_page", "ca_file", "insecure", "sql",
    ];
    TARGET_SQL = "target_sql", "`[target.sql]`", [
        "url", "password", "ca_file", "insecure", "connections", "statement_timeout",
    ];
    SITE_VALIDATE = "site_validate", "`[validate]`", ["memory", "pages", "pii_key"];
    PRODUCE = "produce", "`[produce]`", [
        "fibres", "rate", "chunk", "max_fibres", "max_rate", "max_chunk",
    ];
    PUSH = "push", "`[push]`", [
        "workers", "rate", "max_workers", "max_rate", "parcel", "zombie_grace", "silent_after",
    ];
    BRAKES = "brakes", "`[brakes]`", [
        "every", "lag", "load", "oldest_transaction", "query", "check", "ready", "breaker",
    ];
    BRAKE = "brake", "a brake", ["limit", "critical", "on_error"];
    QUERY_BRAKE = "query_brake", "a brake's query", ["name", "sql", "limit", "critical", "on_error"];
    CHECK_BRAKE = "check_brake", "a brake's check", ["name", "url", "insecure", "on_error"];
    TOLERANCE = "tolerance", "`[tolerance]`", [
        "ramp", "p95", "baseline", "factor", "failures", "window", "start", "floor",
    ];
    STATE = "state", "`[state]`", ["folder"];
    SECRET = "secret", "a secret's place", ["env", "file"];
    AUTH_HEADER = "auth_header", "`auth` by header", ["header", "value"];
    AUTH_BEARER = "auth_bearer", "`auth` by bearer token", ["bearer"];
    AUTH_BASIC = "auth_basic", "`auth` by user and password", ["basic"];
    AUTH_LOGIN = "auth_login", "`auth` by login", ["login"];
    BASIC = "basic", "`basic`", ["user", "password"];
    LOGIN = "login", "`login`", [
        "path", "body", "media_type", "user", "password", "token", "token_header", "header", "format", "lifetime",
    ];
}
