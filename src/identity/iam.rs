//! IAM: who may become which role, from what `get-account-authorization-details` prints. Knows nothing of Kubernetes.
//!
//! An answer is yes, no, or unknown with the conditions on which it depends. Service and resource control policies,
//! session policies and endpoint policies are in no export: they can only take away.

mod account;
mod allowed;
mod applies;
mod caller;
mod condition;
mod context;
mod doors;
mod evaluate;
mod export;
mod identity_center;
mod ids;
mod key;
mod known;
mod logic;
mod names;
mod nearest;
mod pattern;
mod place;
mod policy;
mod principal;
mod reach;
mod session_names;
mod some_arn;

pub use self::account::{Account, IamData};
pub use self::caller::{Caller, NotACaller};
pub use self::condition::Condition;
pub use self::context::Context;
pub use self::doors::{Door, DoorKind, Lenses};
pub use self::evaluate::{ASSUME_ROLE, Lens, POD_IDENTITY, WITH_SAML, WITH_WEB_IDENTITY};
pub use self::export::{EntityArn, Page, is_export, read};
pub use self::identity_center::{IdentityCenter, Person};
pub use self::ids::{DocId, GroupId, PrincipalId};
pub use self::key::{Key, KeyGroup};
pub use self::logic::{Hit, Leaf, OpenKey, Verdict, Why};
pub use self::nearest::{Difference, Near};
pub use self::policy::{AccountPrincipal, Actions, Effect, Policy, Principals, Resources, Statement};
pub use self::principal::{Doc, Group, Owner, Principal};
pub use self::reach::{Edge, Hop, Reach, Source, Step};
pub use self::some_arn::SomeArn;
