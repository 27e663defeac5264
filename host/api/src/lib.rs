//! lockgate-api
