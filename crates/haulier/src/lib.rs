//! The command line of haulier.
