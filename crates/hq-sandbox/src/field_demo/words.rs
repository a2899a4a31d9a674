//! Names of companies and projects, among them the text that breaks careless software.

use super::draw::Draw;

const COMPANY_HEADS: &[&str] = &[
    "Nordwind",
    "Blue Harbour",
    "Sakura",
    "Königsberg",
    "Étoile",
    "São Bento",
    "Łódzkie",
    "Aurora",
    "Ümit",
    "Río Verde",
    "Baobab",
    "Ostsee",
    "Copper Hill",
    "Žižkov",
    "Svalbard",
    "Quetzal",
];
const COMPANY_TAILS: &[&str] = &[
    "GmbH",
    "Ltd",
    "SARL",
    "K.K.",
    "Logistics",
    "& Søn",
    "Oy",
    "S.p.A.",
    "Works",
    "Energie AG",
    "Media",
    "d.o.o.",
];
const PROJECT_HEADS: &[&str] = &[
    "Website",
    "Warehouse",
    "Payroll",
    "Onboarding",
    "Zürich office",
    "Sommerfest",
    "Migration",
    "Audit 2025",
    "Newsletter",
    "Café relaunch",
    "Support desk",
    "Fleet",
    "Research",
    "Training",
    "Recycling",
];
const PROJECT_TAILS: &[&str] =
    &["plan", "phase 1", "phase 2", "pilot", "rollout", "budget", "team", "review", "north"];

/// Text that has broken something somewhere. Every one is different from every other, bytewise.
const NASTY: &[&str] = &[
    "Größe & Maß ÄÖÜ äöü ß ẞ",
    "東京本社 第二営業部",
    "서울 프로젝트",
    "مشروع القاهرة",
    "פרויקט תל אביב (2)",
    "\u{202e}right to left override\u{202c}",
    "👩‍👩‍👧‍👦 family & 🏳️‍🌈 flag",
    "🚀",
    "O'Brien \"the quote\" `tick`",
    "'; drop table accounts; --",
    "<script>alert(1)</script>",
    "NULL",
    "null",
    "\\N",
    "None",
    "true",
    "0",
    "-1",
    "1e9",
    "=1+1",
    "a,b;c\td",
    "two\nlines",
    "windows\r\nlines",
    " leading blank",
    "trailing blank ",
    "\ttab first",
    "caf\u{e9}",
    "cafe\u{301}",
    "zero\u{200b}width\u{200d}joiners\u{feff}",
    "no\u{a0}break",
    "%2F %00 100%",
    "{curly} ${dollar} {{mustache}}",
    "back\\slash\\",
    "pipe|pipe",
    "../../etc/passwd",
    "C:\\Windows\\system32",
    "İstanbul ıI",
    "ﬁ ligature ﬀ",
    "Zalgo t\u{336}\u{35b}e\u{334}\u{33f}x\u{335}\u{302}t",
    "\u{1}\u{1f}\u{7f}control",
    "\u{10ffff}last",
    "CaSe",
    "case",
    "CASE",
];

/// External ids that need care in a path.
const NASTY_IDS: &[&str] = &[
    "Ä/B 100%",
    "a|b\\c",
    "x?y=z&w#f",
    "O'Neil & Söhne",
    " leading",
    "trailing ",
    "東京-01",
    "🚀1",
    "a%2Fb",
    "A:B;C,D",
    "\"quoted\"",
    "NULL",
    "\\N",
    "caf\u{e9}",
    "cafe\u{301}",
    "two\nlines",
    "tab\there",
    "+plus+",
    "[1]{2}",
    "x'--",
    "~tilde",
    "C-10007x",
    "c-10007X",
];

/// Every nasty text, and the longest ones that are allowed.
pub(crate) fn nasty() -> Vec<String> {
    let mut all: Vec<String> = NASTY.iter().map(|text| (*text).to_owned()).collect();
    all.push("x".repeat(255));
    all.push("ü".repeat(255));
    all.push("🚀".repeat(255));
    all
}

/// The external id of the account at this position.
pub(crate) fn external_id(position: usize) -> String {
    let nasty = if position % 8 == 4 { NASTY_IDS.get(position / 8) } else { None };
    nasty.map_or_else(|| format!("C-{:05}", 10_000 + position * 7), |id| (*id).to_owned())
}

/// A company's name.
pub(crate) fn company(draw: &mut Draw) -> String {
    format!("{} {}", draw.pick(COMPANY_HEADS), draw.pick(COMPANY_TAILS))
}

/// A project's name.
pub(crate) fn project(draw: &mut Draw) -> String {
    format!("{} {}", draw.pick(PROJECT_HEADS), draw.pick(PROJECT_TAILS))
}
