//! The rows of the demo source: how many, whose, and in which trees.

use std::collections::BTreeSet;

use serde::Serialize;

use super::draw::Draw;
use super::{people, words};

const ACCOUNTS: usize = 200;
const PROJECTS: usize = 1_200;
const USERS: usize = 3_000;
const MEMBERSHIPS: usize = 3_000;
/// The account with far more users than any other, and how many.
const CROWDED: usize = 7;
const CROWD: usize = 400;
/// Levels of a project tree.
const LEVELS: usize = 5;

#[derive(Debug, Serialize)]
pub(crate) struct Account {
    id: usize,
    external_id: String,
    name: String,
    email: String,
    plan: &'static str,
    active: usize,
    credit: Option<String>,
    created_at: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Project {
    id: usize,
    account_id: usize,
    parent_id: Option<usize>,
    name: String,
    budget: Option<String>,
    status: &'static str,
    created_at: String,
    #[serde(skip)]
    level: usize,
}

#[derive(Debug, Serialize)]
pub(crate) struct User {
    id: usize,
    account_id: usize,
    email: String,
    full_name: String,
    locale: Option<String>,
    created_at: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Membership {
    project_id: usize,
    user_id: usize,
    role: &'static str,
    joined_at: String,
}

/// Everything in the demo source.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) accounts: Vec<Account>,
    pub(crate) projects: Vec<Project>,
    pub(crate) users: Vec<User>,
    pub(crate) memberships: Vec<Membership>,
}

impl Field {
    pub(crate) fn new(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        let accounts = accounts(&mut draw);
        let projects = projects(&mut draw);
        let users = users(&mut draw);
        let memberships = memberships(&mut draw, &projects, &users);
        Self { accounts, projects, users, memberships }
    }
}

fn accounts(draw: &mut Draw) -> Vec<Account> {
    let nasty = words::nasty();
    let mut next_nasty = nasty.iter();
    let mut account = |id: usize| Account {
        id,
        external_id: words::external_id(id),
        name: next_nasty.next().filter(|_| id > 20).cloned().unwrap_or_else(|| words::company(draw)),
        email: people::email(draw, id),
        plan: draw.pick(&["free", "free", "pro", "business"]),
        active: usize::from(!draw.percent(10)),
        credit: draw.amount(),
        created_at: draw.moment(),
    };
    (1..=ACCOUNTS).map(&mut account).collect()
}

/// Whether an account has projects at all.
fn has_projects(account: usize) -> bool {
    account % 10 != 3
}

fn projects(draw: &mut Draw) -> Vec<Project> {
    const STATUSES: &[&str] = &["planned", "active", "active", "active", "paused", "done", "archived"];
    let owners: Vec<usize> = (1..=ACCOUNTS).filter(|account| has_projects(*account)).collect();
    let nasty = words::nasty();
    let mut names = BTreeSet::new();
    let mut projects: Vec<Project> = Vec::with_capacity(PROJECTS);
    for id in 1..=PROJECTS {
        // Every owner has one project; one owner has all the nasty names; the rest falls where it falls.
        let nasty_name = (id > owners.len()).then(|| nasty.get(id - owners.len() - 1)).flatten();
        let account_id = match (owners.get(id - 1), nasty_name) {
            (Some(owner), _) => *owner,
            (None, Some(_)) => 1,
            (None, None) => owners.get(draw.below(owners.len())).copied().unwrap_or(1),
        };
        let mut name = nasty_name.cloned().unwrap_or_else(|| words::project(draw));
        if !names.insert((account_id, name.clone())) {
            name = format!("{name} ({id})");
            names.insert((account_id, name.clone()));
        }
        let siblings: Vec<usize> = (0..projects.len())
            .filter(|at| projects.get(*at).is_some_and(|p| p.account_id == account_id && p.level < LEVELS))
            .collect();
        let above = if draw.percent(75) { siblings.get(draw.below(siblings.len())) } else { None };
        let above = above.and_then(|at| projects.get(*at));
        projects.push(Project {
            id,
            account_id,
            parent_id: above.map(|above| above.id),
            name,
            budget: draw.amount(),
            status: draw.pick(STATUSES),
            created_at: draw.moment(),
            level: above.map_or(1, |above| above.level + 1),
        });
    }
    let ids = renumbering(draw, &projects);
    for project in &mut projects {
        project.id = ids.get(project.id).copied().unwrap_or(project.id);
        project.parent_id = project.parent_id.and_then(|parent| ids.get(parent).copied());
    }
    projects.sort_by_key(|project| project.id);
    projects
}

/// New ids by old ones: now and then a child changes places with its parent, so that the child comes first.
fn renumbering(draw: &mut Draw, projects: &[Project]) -> Vec<usize> {
    let mut ids: Vec<usize> = (0..=projects.len()).collect();
    for project in projects {
        if let Some(parent) = project.parent_id
            && draw.percent(20)
        {
            ids.swap(project.id, parent);
        }
    }
    ids
}

fn users(draw: &mut Draw) -> Vec<User> {
    let nasty = words::nasty();
    (1..=USERS)
        .map(|id| {
            // Everybody else is spread over all accounts, the first 200 one by one.
            let account_id = match id {
                _ if id <= ACCOUNTS => id,
                _ if id < ACCOUNTS + CROWD => CROWDED,
                _ => loop {
                    let account = 1 + draw.below(ACCOUNTS);
                    if account != CROWDED {
                        break account;
                    }
                },
            };
            let full_name = if id % 41 == 0 { nasty.get(id / 41) } else { None };
            User {
                id,
                account_id,
                email: people::email(draw, id),
                full_name: full_name.cloned().unwrap_or_else(|| people::full_name(draw)),
                locale: people::locale(draw),
                created_at: draw.moment(),
            }
        })
        .collect()
}

fn memberships(draw: &mut Draw, projects: &[Project], users: &[User]) -> Vec<Membership> {
    const ROLES: &[&str] = &["owner", "admin", "member", "member", "member", "viewer"];
    let mut pairs = BTreeSet::new();
    // One project holds the whole crowd.
    if let Some(project) = projects.iter().find(|project| project.account_id == CROWDED) {
        pairs
            .extend(users.iter().filter(|user| user.account_id == CROWDED).map(|user| (project.id, user.id)));
    }
    while pairs.len() < MEMBERSHIPS {
        let Some(user) = users.get(draw.below(users.len())) else { break };
        let own: Vec<usize> =
            projects.iter().filter(|p| p.account_id == user.account_id).map(|p| p.id).collect();
        if let Some(project) = own.get(draw.below(own.len())) {
            pairs.insert((*project, user.id));
        }
    }
    let membership = |(project_id, user_id)| Membership {
        project_id,
        user_id,
        role: draw.pick(ROLES),
        joined_at: draw.moment(),
    };
    pairs.into_iter().map(membership).collect()
}
