//! The routes, in one table that the router and the OpenAPI document are checked against.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::routing::{MethodFilter, on};

use crate::control::control;
use crate::pipeline::{Shared, serve};
use crate::record::Collection;

/// What is done for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    List(Collection),
    Create(Collection),
    Read(Collection),
    Change(Collection),
    Remove(Collection),
    ReadByExternalId,
    PutByExternalId,
    ListMembers,
    ReadMember,
    PutMember,
    RemoveMember,
    Bulk,
    Login,
    NoSuchPath,
    NoSuchMethod,
}

impl Operation {
    /// Whether it takes the right to write.
    pub(crate) fn writes(self) -> bool {
        match self {
            Self::Create(_)
            | Self::Change(_)
            | Self::Remove(_)
            | Self::PutByExternalId
            | Self::PutMember
            | Self::RemoveMember
            | Self::Bulk => true,
            Self::List(_)
            | Self::Read(_)
            | Self::ReadByExternalId
            | Self::ListMembers
            | Self::ReadMember
            | Self::Login
            | Self::NoSuchPath
            | Self::NoSuchMethod => false,
        }
    }

    /// Whether it takes a JSON body.
    pub(crate) fn takes_body(self) -> bool {
        self == Self::Login || (self.writes() && !matches!(self, Self::Remove(_) | Self::RemoveMember))
    }
}

/// What a control address does. Faults do not touch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    OpenApi,
    Health,
    Stats,
    ReadFaults,
    SetFaults,
    Reset,
}

#[derive(Debug, Clone, Copy)]
enum Task {
    Api(Operation),
    Control(Control),
}

/// One route: a method and a path, as the OpenAPI document writes them.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The method, in upper case.
    pub method: &'static str,
    /// The path with `{name}` places.
    pub path: &'static str,
    task: Task,
}

const fn api(method: &'static str, path: &'static str, operation: Operation) -> Route {
    Route { method, path, task: Task::Api(operation) }
}

const fn control_of(method: &'static str, path: &'static str, control: Control) -> Route {
    Route { method, path, task: Task::Control(control) }
}

/// Every route there is.
pub const ROUTES: &[Route] = &[
    api("GET", "/api/v1/accounts", Operation::List(Collection::Accounts)),
    api("POST", "/api/v1/accounts", Operation::Create(Collection::Accounts)),
    api("GET", "/api/v1/accounts/{id}", Operation::Read(Collection::Accounts)),
    api("PATCH", "/api/v1/accounts/{id}", Operation::Change(Collection::Accounts)),
    api("DELETE", "/api/v1/accounts/{id}", Operation::Remove(Collection::Accounts)),
    api("GET", "/api/v1/accounts/by-external-id/{external_id}", Operation::ReadByExternalId),
    api("PUT", "/api/v1/accounts/by-external-id/{external_id}", Operation::PutByExternalId),
    api("GET", "/api/v1/projects", Operation::List(Collection::Projects)),
    api("POST", "/api/v1/projects", Operation::Create(Collection::Projects)),
    api("GET", "/api/v1/projects/{id}", Operation::Read(Collection::Projects)),
    api("PATCH", "/api/v1/projects/{id}", Operation::Change(Collection::Projects)),
    api("DELETE", "/api/v1/projects/{id}", Operation::Remove(Collection::Projects)),
    api("GET", "/api/v1/projects/{id}/members", Operation::ListMembers),
    api("GET", "/api/v1/projects/{id}/members/{user_id}", Operation::ReadMember),
    api("PUT", "/api/v1/projects/{id}/members/{user_id}", Operation::PutMember),
    api("DELETE", "/api/v1/projects/{id}/members/{user_id}", Operation::RemoveMember),
    api("GET", "/api/v1/users", Operation::List(Collection::Users)),
    api("POST", "/api/v1/users", Operation::Create(Collection::Users)),
    api("GET", "/api/v1/users/{id}", Operation::Read(Collection::Users)),
    api("PATCH", "/api/v1/users/{id}", Operation::Change(Collection::Users)),
    api("DELETE", "/api/v1/users/{id}", Operation::Remove(Collection::Users)),
    api("GET", "/api/v1/memberships", Operation::List(Collection::Memberships)),
    api("POST", "/api/v1/bulk/{collection}", Operation::Bulk),
    api("POST", "/api/v1/login", Operation::Login),
    control_of("GET", "/openapi.json", Control::OpenApi),
    control_of("GET", "/_sandbox/health", Control::Health),
    control_of("GET", "/_sandbox/stats", Control::Stats),
    control_of("GET", "/_sandbox/faults", Control::ReadFaults),
    control_of("POST", "/_sandbox/faults", Control::SetFaults),
    control_of("POST", "/_sandbox/reset", Control::Reset),
];

/// The router of the table.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let filter = match route.method {
            "GET" => MethodFilter::GET,
            "PUT" => MethodFilter::PUT,
            "PATCH" => MethodFilter::PATCH,
            "DELETE" => MethodFilter::DELETE,
            _ => MethodFilter::POST,
        };
        let methods = match route.task {
            Task::Api(operation) => on(
                filter,
                move |State(shared): State<Arc<Shared>>,
                      places: Result<RawPathParams, RawPathParamsRejection>,
                      request: Request| serve(shared, operation, places.ok(), request),
            ),
            Task::Control(task) => on(filter, move |State(shared): State<Arc<Shared>>, request: Request| {
                control(shared, task, request)
            }),
        };
        router = router.route(route.path, methods);
    }
    let lost = |operation: Operation| {
        move |State(shared): State<Arc<Shared>>, request: Request| serve(shared, operation, None, request)
    };
    router
        .fallback(lost(Operation::NoSuchPath))
        .method_not_allowed_fallback(lost(Operation::NoSuchMethod))
        .with_state(shared)
}
