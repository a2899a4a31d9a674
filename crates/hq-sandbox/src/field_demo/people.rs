//! Names and addresses of people.

use super::draw::Draw;

const FIRST: &[&str] = &[
    "Ada",
    "Björn",
    "Chloé",
    "Dmitri",
    "Eilís",
    "Fatima",
    "Giulia",
    "Håkon",
    "Ikram",
    "José",
    "Kateřina",
    "Łukasz",
    "Mehmet",
    "Ngọc",
    "Óscar",
    "Priya",
    "Quentin",
    "Rūta",
    "Şeyma",
    "Tomás",
    "Ulrike",
    "Vesna",
    "Wanjiru",
    "Xìng",
    "Ying",
    "Zoë",
];
const LAST: &[&str] = &[
    "Andersen",
    "Bhattacharya",
    "Çelik",
    "Dvořák",
    "Eriksson",
    "Fernández",
    "García-López",
    "Hernández",
    "Ivanova",
    "Jäger",
    "Kowalczyk",
    "Lindqvist",
    "Müller",
    "Nguyễn",
    "O'Connor",
    "Petrović",
    "Quispe",
    "Rossi",
    "Straße",
    "Tanaka",
    "Ünal",
    "van der Berg",
    "Weiß",
    "Yılmaz",
    "Zieliński",
];
const WHOLE: &[&str] = &[
    "山田 太郎",
    "Мария Иванова",
    "محمد علي",
    "김민준",
    "Νίκος Παπαδόπουλος",
    "דוד כהן",
    "X Æ A-12",
    "’t Hooft",
    "Null",
];
const HOSTS: &[&str] = &["example.com", "example.org", "mail.example.net", "EXAMPLE.com"];

/// A person's name.
pub(crate) fn full_name(draw: &mut Draw) -> String {
    if draw.percent(8) {
        draw.pick(WHOLE).to_owned()
    } else {
        format!("{} {}", draw.pick(FIRST), draw.pick(LAST))
    }
}

/// An address that nobody else has, also without letter case: the number is in it.
pub(crate) fn email(draw: &mut Draw, number: usize) -> String {
    let host = draw.pick(HOSTS);
    match draw.below(40) {
        0 => format!("o'brien+tag.{number}@{host}"),
        1 => format!("jörg.müller.{number}@exämple.example"),
        2 => format!("user%2F{number}&x=y@{host}"),
        3 => format!("用户{number}@例え.example"),
        4 => format!("Mixed.Case.{number}@{host}"),
        5 => format!("#{number}?a/b@{host}"),
        _ => format!("person.{number}@{host}"),
    }
}

/// A language, or nothing.
pub(crate) fn locale(draw: &mut Draw) -> Option<String> {
    const LOCALES: &[&str] =
        &["en", "en-GB", "de-DE", "fr-CA", "ja-JP", "pt-BR", "ar-EG", "zh-Hant-TW", "sr-Latn-RS"];
    (!draw.percent(30)).then(|| draw.pick(LOCALES).to_owned())
}
