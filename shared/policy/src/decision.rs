//! The decision: which layers are asked, in which order, and which of them decided.

use crate::document::Document;
use crate::principal::Naming;
use crate::request::Request;

/// Everything that has a say over one request.
#[derive(Debug, Clone, Copy)]
pub struct Layers<'a> {
    /// The caller's identity policies.
    pub identity: &'a [Document],
    /// The caller's permissions boundary, if it has one.
    pub boundary: Option<&'a [Document]>,
    /// The policies passed when the caller's session was made, if any were.
    pub session: Option<&'a [Document]>,
    /// Service control policies over the caller's account, one list for each level from the root
    /// down; empty for the management account.
    pub scps: &'a [Vec<Document>],
    /// Resource control policies over the resource's account, one list for each level.
    pub rcps: &'a [Vec<Document>],
    /// The resource's own policy; for `sts:AssumeRole` the role's trust policy.
    pub resource: Option<&'a Document>,
    /// The account that owns the resource.
    pub resource_account: &'a str,
}

/// Which policies decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// Identity policies.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// The session policy.
    Session,
    /// Service control policies.
    Scp,
    /// Resource control policies.
    Rcp,
    /// The resource's own policy or a role's trust policy.
    Resource,
}

/// The answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// The request may go on.
    Allowed,
    /// A statement of the layer denies the request.
    ExplicitlyDenied(Layer),
    /// The layer would have to allow the request and does not.
    ImplicitlyDenied(Layer),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// What the resource's policy says to this caller.
struct Grant {
    closest: Naming,
    names_account: bool,
}

/// Decides one request.
pub fn decide(layers: &Layers, request: &Request) -> Decision {
    let action = request.action.to_lowercase();
    let request = &Request { action: &action, ..*request };
    match judge(layers, request) {
        Ok(()) => Decision::Allowed,
        Err(denied) => denied,
    }
}

fn judge(layers: &Layers, request: &Request) -> Result<(), Decision> {
    let mut scp_gap = false;
    for level in layers.scps {
        scp_gap |= effect(level, request, Layer::Scp)? != Some(Effect::Allow);
    }
    for level in layers.rcps {
        effect(level, request, Layer::Rcp)?;
    }
    let grant = grant(layers, request)?;
    let identity = effect(layers.identity, request, Layer::Identity)?;
    let limit = match (
        limits(layers.boundary, request, Layer::Boundary)?,
        limits(layers.session, request, Layer::Session)?,
    ) {
        (Some(layer), _) | (None, Some(layer)) => Err(Decision::ImplicitlyDenied(layer)),
        (None, None) => Ok(()),
    };
    if scp_gap {
        return Err(Decision::ImplicitlyDenied(Layer::Scp));
    }

    let unnamed = Err(Decision::ImplicitlyDenied(Layer::Resource));
    let Some(account) = request.caller.account() else {
        return if grant.closest == Naming::Itself { Ok(()) } else { unnamed };
    };
    if account == layers.resource_account {
        match grant.closest {
            Naming::Itself => return Ok(()),
            Naming::Role => return limit,
            Naming::Not | Naming::Account => {}
        }
        if needs_own_policy(request) && !grant.names_account {
            return unnamed;
        }
    } else if grant.closest == Naming::Not {
        return unnamed;
    }
    match identity {
        Some(Effect::Allow) => limit,
        _ => Err(Decision::ImplicitlyDenied(Layer::Identity)),
    }
}

/// What a layer's statements say together; the first Deny ends the matter.
fn effect(
    documents: &[Document],
    request: &Request,
    layer: Layer,
) -> Result<Option<Effect>, Decision> {
    let mut found = None;
    for statement in documents.iter().flat_map(|document| &document.statements) {
        let settled = statement.effect == Effect::Allow && found.is_some();
        if settled || !statement.applies(request) {
            continue;
        }
        if statement.effect == Effect::Deny {
            return Err(Decision::ExplicitlyDenied(layer));
        }
        found = Some(Effect::Allow);
    }
    Ok(found)
}

/// The layer itself if it exists and does not allow the request.
fn limits(
    documents: Option<&[Document]>,
    request: &Request,
    layer: Layer,
) -> Result<Option<Layer>, Decision> {
    let Some(documents) = documents else { return Ok(None) };
    Ok(effect(documents, request, layer)?.is_none().then_some(layer))
}

fn grant(layers: &Layers, request: &Request) -> Result<Grant, Decision> {
    let mut grant = Grant { closest: Naming::Not, names_account: false };
    for statement in layers.resource.iter().flat_map(|document| &document.statements) {
        let naming = statement.names(request, layers.boundary.is_some());
        if naming == Naming::Not || !statement.applies(request) {
            continue;
        }
        if statement.effect == Effect::Deny {
            return Err(Decision::ExplicitlyDenied(Layer::Resource));
        }
        grant.closest = grant.closest.max(naming);
        grant.names_account |= naming == Naming::Account;
    }
    Ok(grant)
}

/// Keys and roles must let the account in before its identity policies count.
fn needs_own_policy(request: &Request) -> bool {
    request.action.starts_with("kms:")
        || (request.action.starts_with("sts:") && request.resource.contains(":role/"))
}
