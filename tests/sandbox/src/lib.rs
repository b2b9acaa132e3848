//! An AWS Organization on one machine: the gateway in front of moto.
