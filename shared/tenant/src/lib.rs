//! What a tenant is and how it may change: values and pure transitions, no I/O.
