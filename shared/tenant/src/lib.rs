//! What a tenant is and how it may change: values and pure transitions, no I/O.
//!
//! Everything here can be called in a test without a clock, a network or a random number: time is an argument, and
//! each transition is a function from a value to a value. The ledger makes a transition durable; it decides nothing.

mod access;
mod account;
mod alias;
mod awaited;
mod breaker;
mod claim;
mod configuration;
mod contact;
mod document;
mod drift;
mod facts;
mod failure;
mod letter;
mod limits;
mod name;
mod notice;
mod pace;
mod pattern;
mod placeholder;
mod record;
mod roll_out;
mod run;
mod seat;
mod shape;
mod survey;
mod tags;
mod validate;
mod view;

pub use access::{
    Grant, IdentityCenter, RoleMapping, SignIn, WishedAccess, WishedRole, check_access,
    wished_access,
};
pub use account::{Numbers, account_alias, address_after_closing, names_number, render_names};
pub use alias::suffixed_alias;
pub use awaited::AwaitedView;
pub use breaker::{Breaker, BreakerEntry, BreakerState, BreakerTransition, FailedCreation};
pub use claim::Claim;
pub use configuration::{ChangedField, ConfigurationEntry};
pub use contact::{AlternateContact, Concern, Contact, Person, alternate_contacts, contact};
pub use document::{
    AccessRole, AccessStack, AccountFactory, AddressAfterClosing, Amount, BIRTH_ROLE, Baseline,
    BreakerLimits, ControlTower, DefaultVpc, Document, Downgrade, Enrolment, Hook, HookTarget,
    IdentifierLengths, Kind, LandingZone, LandingZoneMetadata, Limits, OtherWayIn, PasswordPolicy,
    PermissionModel, Platform, PlatformMetadata, Quota, RollOutRules, Spec, SsoUser, StackSet,
    TagMapper, TenantMetadata, TenantSpec, Trust, schema,
};
pub use drift::{
    ACCESS_SET, ACTIVE, Deviation, Difference, DriftField, DriftPolicy, DriftRules, DriftState,
    DriftView, GONE, Sighted, Watch, promised_sets,
};
pub use facts::{ACCOUNT_ARN, FACTS, facts, filled, no_organization, references, tells_number};
pub use failure::{Failure, FailureName};
pub use letter::{DiscardWish, LeftLetter, LetterView, LettersView, RedrivenView};
pub use limits::{
    BreakerView, BreakerWish, DailyView, LimitsView, PaceView, TOMORROW, day, next_day,
};
pub use name::{AccountId, Name, incarnation_of, tenant_id};
pub use notice::{Happening, Message, Need, Notice, Told, ToldFailure};
pub use pace::Pace;
pub use pattern::{LONGEST_GROUP_ALIAS, Pattern, PatternError, TextFormat, Values};
pub use record::{
    Adopted, Approval, Entry, Failed, Holder, Named, Names, Noticed, Phase, Readdressing, Refused,
    Removal, SECOND_LOOK, Tenant, Transition, Versions, VpcFate, VpcRecord, Waiting,
};
pub use roll_out::{
    Member, Next, RollOut, RollOutEntry, RollOutState, RollOutTransition, RollOutView, RollOutWish,
    StoppedRollOut,
};
pub use run::{Mode, Ticket, Turn};
pub use seat::{Left, Seat, Seated, Seats};
pub use shape::{UNKNOWN_FIELD, check_shape, kind_of, nearest, read};
pub use survey::{Calls, SurveySummary, SurveyView, Unmanaged};
pub use tags::{TagTemplate, TagTemplateError, account_tags, our_contacts, written_tags};
pub use validate::{
    Problem, check_destination, check_landing_zone, check_lengths, check_names, check_platform,
    check_tenant, check_tenant_beside,
};
pub use view::{
    ConfigurationPlanView, EntryView, FailedView, HistoryLine, HistoryPage, HistoryView, Page,
    PauseView, PlanState, PlanView, Problems, QueueView, Reader, RemovalStage, RemovalView,
    StepState, StepView, TenantLine, TenantView,
};

pub use uuid::Uuid;

/// The version of the items that this code writes.
pub const SCHEMA: u32 = 1;
