//! The client's error codes in the host's words.
//!
//! Enters: `rd_kafka_resp_err_t`. Leaves: [`KafkaFault`], retriable or not. Invariant: what waiting cannot help
//! (authorisation, unknown topic, a record too large, a stale generation, a fenced producer) is never retriable.

use std::ffi::CStr;

use lockgate_model::fault::KafkaFault;
use rdkafka::bindings::rd_kafka_resp_err_t as Code;
use rdkafka::bindings::{rd_kafka_err2name, rd_kafka_err2str};

/// The fault of a code. `detail` replaces the client's own text where it says more.
pub(crate) fn fault(code: Code, detail: Option<String>) -> KafkaFault {
    let message = detail.filter(|d| !d.is_empty()).unwrap_or_else(|| text(code));
    let message = match hint(code) {
        Some(hint) => format!("{message}; {hint}"),
        None => message,
    };
    KafkaFault { retriable: retriable(code), code: name(code), message }
}

/// A fault that no code of the client describes.
pub(crate) fn own(retriable: bool, code: &str, message: impl Into<String>) -> KafkaFault {
    KafkaFault { retriable, code: code.to_owned(), message: message.into() }
}

/// True if a consumer cannot get over it by itself.
pub(crate) fn is_final_for_a_consumer(code: Code) -> bool {
    matches!(
        code,
        Code::RD_KAFKA_RESP_ERR__FATAL
            | Code::RD_KAFKA_RESP_ERR__AUTHENTICATION
            | Code::RD_KAFKA_RESP_ERR__SSL
            | Code::RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET
            | Code::RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED
            | Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
            | Code::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED
            | Code::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED
            | Code::RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID
            | Code::RD_KAFKA_RESP_ERR_INVALID_GROUP_ID
            | Code::RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL
            | Code::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
    )
}

fn retriable(code: Code) -> bool {
    matches!(
        code,
        Code::RD_KAFKA_RESP_ERR__TRANSPORT
            | Code::RD_KAFKA_RESP_ERR__RESOLVE
            | Code::RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN
            | Code::RD_KAFKA_RESP_ERR__TIMED_OUT
            | Code::RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE
            | Code::RD_KAFKA_RESP_ERR__MSG_TIMED_OUT
            | Code::RD_KAFKA_RESP_ERR__QUEUE_FULL
            | Code::RD_KAFKA_RESP_ERR__ISR_INSUFF
            | Code::RD_KAFKA_RESP_ERR__NODE_UPDATE
            | Code::RD_KAFKA_RESP_ERR__WAIT_CACHE
            | Code::RD_KAFKA_RESP_ERR__WAIT_COORD
            | Code::RD_KAFKA_RESP_ERR__IN_PROGRESS
            | Code::RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS
            | Code::RD_KAFKA_RESP_ERR__RETRY
            | Code::RD_KAFKA_RESP_ERR__BAD_MSG
            | Code::RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED
            | Code::RD_KAFKA_RESP_ERR__PURGE_QUEUE
            | Code::RD_KAFKA_RESP_ERR__PURGE_INFLIGHT
            | Code::RD_KAFKA_RESP_ERR__DESTROY_BROKER
            | Code::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE
            | Code::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION
            | Code::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT
            | Code::RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE
            | Code::RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE
            | Code::RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION
            | Code::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS
            | Code::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE
            | Code::RD_KAFKA_RESP_ERR_NOT_COORDINATOR
            | Code::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS
            | Code::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND
            | Code::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS
            | Code::RD_KAFKA_RESP_ERR_NOT_CONTROLLER
            | Code::RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR
            | Code::RD_KAFKA_RESP_ERR_FETCH_SESSION_ID_NOT_FOUND
            | Code::RD_KAFKA_RESP_ERR_INVALID_FETCH_SESSION_EPOCH
            | Code::RD_KAFKA_RESP_ERR_LISTENER_NOT_FOUND
            | Code::RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH
            | Code::RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH
            | Code::RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE
            | Code::RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT
            | Code::RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED
            | Code::RD_KAFKA_RESP_ERR_PREFERRED_LEADER_NOT_AVAILABLE
            | Code::RD_KAFKA_RESP_ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE
    )
}

fn hint(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE => {
            "raise max.request.size (producer.override.max.request.size) and the topic's max.message.bytes"
        }
        Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED => "grant the worker's principal access to the topic",
        Code::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED => "grant the worker's principal READ on the group",
        Code::RD_KAFKA_RESP_ERR__AUTHENTICATION => "check sasl.jaas.config and the ssl settings of the worker",
        Code::RD_KAFKA_RESP_ERR__SSL => {
            "check ssl.truststore.* (does it hold the broker's CA?), ssl.keystore.* and security.protocol of the worker"
        }
        Code::RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET => {
            "the offset is no longer in the topic and auto.offset.reset=none: reset the connector's offsets"
        }
        Code::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC | Code::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART => {
            "create the topic, or configure topic.creation.default.* for the connector"
        }
        Code::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION | Code::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID => {
            "the group has gone on without this task: its partitions belong to another now"
        }
        _ => return None,
    })
}

fn name(code: Code) -> String {
    // SAFETY: returns a static string for every code.
    let name = unsafe { CStr::from_ptr(rd_kafka_err2name(code)) };
    name.to_string_lossy().trim_start_matches('_').to_ascii_lowercase().replace('_', "-")
}

fn text(code: Code) -> String {
    // SAFETY: returns a static string for every code.
    unsafe { CStr::from_ptr(rd_kafka_err2str(code)) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_carry_kafkas_name_and_whether_waiting_helps() {
        for (code, name, retriable) in [
            (Code::RD_KAFKA_RESP_ERR__TRANSPORT, "transport", true),
            (Code::RD_KAFKA_RESP_ERR_NOT_COORDINATOR, "not-coordinator", true),
            (Code::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, "rebalance-in-progress", true),
            (Code::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, "illegal-generation", false),
            (Code::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, "unknown-member-id", false),
            (Code::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "msg-size-too-large", false),
            (Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "topic-authorization-failed", false),
            (Code::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, "unknown-topic", false),
            (Code::RD_KAFKA_RESP_ERR__FATAL, "fatal", false),
        ] {
            let fault = fault(code, None);
            assert_eq!((fault.code.as_str(), fault.retriable), (name, retriable));
            assert!(!fault.message.is_empty());
        }
    }
}
