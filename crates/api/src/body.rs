//! The bytes of a message, for those who compare requests without looking into them.

use prost::Message;

/// A message as it goes over the wire. Fields stand in the order of their numbers, so equal messages have equal bytes.
pub fn encoded(message: &impl Message) -> Vec<u8> {
    message.encode_to_vec()
}
