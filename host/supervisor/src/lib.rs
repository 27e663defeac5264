//! lockgate-supervisor
