//! How a tenant comes to another project, and whose a name is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Phase, Refused, Tenant, Transition};
use crate::Name;

/// Whom a name leads to, and how often it has been used. It stands by the name for ever; whether the tenant still has
/// the name, the tenant's row says.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Holder {
    /// The tenant that has the name, or had it last.
    pub tenant: Uuid,
    /// How often the name has been used, that tenant included.
    pub incarnation: u32,
}

impl Holder {
    /// The use that must stand by the name before this one may; none if nobody may have used it.
    #[must_use]
    pub fn follows(self) -> Option<u32> {
        self.incarnation.checked_sub(1).filter(|before| *before > 0)
    }
}

/// What is found by a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// What stands by the name.
    pub holder: Holder,
    /// The tenant that it leads to.
    pub tenant: Tenant,
}

impl Named {
    /// The tenant that has the name, unless it is deleted or has moved, and how often the name has been used once it
    /// is there.
    #[must_use]
    pub fn living(named: Option<Self>, name: &Name) -> (Option<Tenant>, u32) {
        match named {
            None => (None, 1),
            Some(Self { holder, tenant }) if tenant.has(name) => (Some(tenant), holder.incarnation),
            Some(Self { holder, .. }) => (None, holder.incarnation + 1),
        }
    }
}

impl Tenant {
    /// What stands by the tenant's name.
    #[must_use]
    pub fn holder(&self) -> Holder {
        Holder { tenant: self.id, incarnation: self.incarnation }
    }

    /// Whether the tenant is there and called so.
    #[must_use]
    pub fn has(&self, name: &Name) -> bool {
        self.phase != Phase::Deleted && self.name == *name
    }

    /// The tenant comes to another project, or another workspace: its id, its account and its history stay. None if it
    /// is there already. A move during a run is for the next one, as a changed wish is.
    pub fn moved(
        &self,
        to: &Name,
        incarnation: u32,
        author: &str,
        now: Timestamp,
    ) -> Result<Option<Transition>, Refused> {
        self.stays()?;
        if self.name == *to {
            return Ok(None);
        }
        let event = format!("moved from {} to {to}", self.name);
        Ok(Some(self.to(now, author, event, |tenant| {
            tenant.name = to.clone();
            tenant.incarnation = incarnation;
            if let Some(names) = &mut tenant.names {
                // The number is the project's; the account's names are its own.
                names.project_number = 0;
            }
            tenant.generation += 1;
            tenant.settled = false;
            tenant.due(now);
        })))
    }
}

#[cfg(test)]
mod tests;
