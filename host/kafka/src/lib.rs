//! lockgate-kafka
