//! Virtual Calypso card and SAM.
