//! Who is asked about an account: by the foundation under any role, and by AWS under three of them.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{LandingZone, Platform, Problem, TenantSpec};

/// Who is asked about an account.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Contact {
    /// An e-mail address.
    Address(String),
    /// An e-mail address with more about whose it is.
    Person(Person),
}

/// An e-mail address with more about whose it is.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Person {
    /// The e-mail address.
    pub email: String,
    /// The name of a person or team; the address's first part if none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What they are; the role if none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The telephone number; the platform's if none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl Contact {
    /// The e-mail address.
    #[must_use]
    pub fn email(&self) -> &str {
        match self {
            Self::Address(email) => email,
            Self::Person(person) => &person.email,
        }
    }

    fn person(&self) -> Option<&Person> {
        match self {
            Self::Address(_) => None,
            Self::Person(person) => Some(person),
        }
    }
}

/// What AWS asks an alternate contact about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Concern {
    /// Bills and payments.
    Billing,
    /// Whether AWS's services work.
    Operations,
    /// Abuse and incidents.
    Security,
}

impl Concern {
    /// All concerns.
    pub const ALL: [Self; 3] = [Self::Billing, Self::Operations, Self::Security];

    /// The concern as a role of contacts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Billing => "billing",
            Self::Operations => "operations",
            Self::Security => "security",
        }
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One of an account's alternate contacts, with everything that AWS wants of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AlternateContact {
    /// The e-mail address.
    pub email: String,
    /// The name.
    pub name: String,
    /// The title.
    pub title: String,
    /// The telephone number.
    pub phone: String,
}

/// The most characters of each part, by AWS.
const LONGEST: [(&str, usize); 4] = [("email", 64), ("name", 64), ("title", 50), ("phone", 25)];

/// A tenant's contact of a role: its own, or its landing zone's.
#[must_use]
pub fn contact<'a>(wish: &'a TenantSpec, zone: &'a LandingZone, role: &str) -> Option<&'a Contact> {
    wish.contacts.get(role).or_else(|| zone.contacts.get(role))
}

/// The alternate contacts that a tenant's account is to have; others are left alone.
#[must_use]
pub fn alternate_contacts(
    wish: &TenantSpec,
    zone: &LandingZone,
    platform: &Platform,
) -> BTreeMap<Concern, AlternateContact> {
    let wished = |concern: Concern| {
        let contact = contact(wish, zone, concern.as_str())?;
        let person = contact.person();
        let (local, _) = contact.email().split_once('@').unwrap_or((contact.email(), ""));
        let given =
            |part: fn(&Person) -> &Option<String>| person.and_then(|person| part(person).clone());
        let alternate = AlternateContact {
            email: contact.email().to_owned(),
            name: given(|person| &person.name).unwrap_or_else(|| local.to_owned()),
            title: given(|person| &person.title).unwrap_or_else(|| format!("{concern} contact")),
            // Who has none is refused when the wish or the landing zone is written.
            phone: given(|person| &person.phone).or_else(|| platform.contact_phone.clone())?,
        };
        Some((concern, alternate))
    };
    Concern::ALL.into_iter().filter_map(wished).collect()
}

/// What is wrong with contacts beside the platform that completes them.
pub(crate) fn check(
    field: &str,
    contacts: &BTreeMap<String, Contact>,
    platform: &Platform,
    problems: &mut Vec<Problem>,
) {
    for (role, contact) in contacts {
        let field = format!("{field}.{role}");
        let person = contact.person();
        let phone = person.and_then(|person| person.phone.as_ref());
        let is_alternate = Concern::ALL.iter().any(|concern| concern.as_str() == role);
        if is_alternate && phone.is_none() && platform.contact_phone.is_none() {
            problems.push(Problem::new(
                &field,
                contact.email(),
                "has no telephone number, and AWS wants one of a billing, operations or security contact",
                "Write `{email: …, phone: …}`, or have `contactPhone` set in the platform.",
            ));
        }
    }
}

/// What is wrong with contacts by themselves, but for their addresses.
pub(crate) fn check_parts(
    field: &str,
    contacts: &BTreeMap<String, Contact>,
    problems: &mut Vec<Problem>,
) {
    for (role, contact) in contacts {
        let person = contact.person();
        let parts = [
            Some(contact.email()),
            person.and_then(|person| person.name.as_deref()),
            person.and_then(|person| person.title.as_deref()),
            person.and_then(|person| person.phone.as_deref()),
        ];
        for ((part, longest), text) in LONGEST.into_iter().zip(parts) {
            let Some(text) = text else { continue };
            let length = text.chars().count();
            if length == 0 || length > longest {
                problems.push(Problem::new(
                    format!("{field}.{role}.{part}"),
                    text,
                    format!("has {length} characters; AWS takes 1 to {longest}"),
                    "Write a shorter one.",
                ));
            }
        }
        check_phone(
            &format!("{field}.{role}.phone"),
            person.and_then(|person| person.phone.as_deref()),
            problems,
        );
    }
}

/// What is wrong with a telephone number.
pub(crate) fn check_phone(field: &str, phone: Option<&str>, problems: &mut Vec<Problem>) {
    let Some(phone) = phone else { return };
    let fits = |one: char| one.is_ascii_digit() || one.is_whitespace() || "()+-".contains(one);
    if !phone.chars().all(fits) || !phone.contains(|one: char| one.is_ascii_digit()) {
        problems.push(Problem::new(
            field,
            phone,
            "is no telephone number",
            "Write digits, spaces, `+`, `-`, `(` and `)`, such as `+49 30 1234567`.",
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
        serde_json::from_value(value).expect("a document")
    }

    fn zone() -> LandingZone {
        read(json!({
            "platform": "aws", "organizationalUnit": "ou-land-workprod", "accessRole": {},
            "contacts": {"security": "soc@example.com", "operations": "noc@example.com"}
        }))
    }

    fn platform(phone: Option<&str>) -> Platform {
        let mut platform: Platform = read(json!({
            "region": "eu-central-1", "managementAccount": "111111111111",
            "automationAccount": "123456789012", "accountEmailPattern": "a@e.io"
        }));
        platform.contact_phone = phone.map(ToOwned::to_owned);
        platform
    }

    #[test]
    fn a_tenants_contact_wins_and_what_it_leaves_out_is_filled_in() {
        let wish: TenantSpec = read(json!({
            "landingZone": "production",
            "contacts": {"owner": "ada@example.com", "security": {"email": "red@example.com", "name": "Red team"}}
        }));
        let contacts = alternate_contacts(&wish, &zone(), &platform(Some("+49 30 1")));
        let shown: Vec<_> = contacts
            .iter()
            .map(|(concern, one)| {
                format!("{concern}: {} {} ({}) {}", one.email, one.name, one.title, one.phone)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "operations: noc@example.com noc (operations contact) +49 30 1",
                "security: red@example.com Red team (security contact) +49 30 1",
            ]
        );
    }

    #[test]
    fn an_alternate_contact_without_a_telephone_number_is_refused() {
        let mut problems = Vec::new();
        check("spec.contacts", &zone().contacts, &platform(None), &mut problems);
        let fields: Vec<&str> = problems.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["spec.contacts.operations", "spec.contacts.security"]);
        check_phone("spec.contactPhone", Some("call me"), &mut problems);
        assert_eq!(problems.len(), 3);
    }
}
