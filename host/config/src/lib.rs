//! lockgate-config
