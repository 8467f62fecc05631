//! Requests as a broker reads them: understood whole, or refused.
//!
//! A stock decoder leaves out the fields that it does not know. A client that is newer than its broker might say `pay nothing
//! before May` in such a field, and be paid for at once; so a request that says more than the broker understands is refused.
//! And what is no message at all, or a text that is not UTF-8, is the sender's mistake and no fault of the broker's, which is
//! what a stock decoder answers. Nothing of the request is repeated.
//!
//! A message that was understood whole encodes to as many bytes as it had: implicit defaults are left out, numbers are short and
//! repeated numbers are packed by every protobuf library in use. Answers are read by the stock decoder: a client may well be older
//! than its broker.

use std::marker::PhantomData;

use prost::Message;
use renkei_types::Reason;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic::{Code, Status};
use tonic_prost::{ProstCodec, ProstEncoder};

use crate::rejection::{Places, refusal_status};

/// Answers `T` to requests `U`.
#[derive(Clone, Debug)]
pub(crate) struct WholeRequests<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for WholeRequests<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for WholeRequests<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = WholeRequest<U>;

    fn encoder(&mut self) -> ProstEncoder<T> {
        ProstCodec::<T, U>::default().encoder()
    }

    fn decoder(&mut self) -> WholeRequest<U> {
        WholeRequest(PhantomData)
    }
}

/// Reads requests `U`.
#[derive(Clone, Debug)]
pub(crate) struct WholeRequest<U>(PhantomData<U>);

impl<U: Message + Default> Decoder for WholeRequest<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        use bytes::Buf as _;
        let bytes = buffer.remaining();
        let request = U::decode(buffer).ok().filter(|request| request.encoded_len() == bytes);
        let refused =
            || refusal_status(Code::InvalidArgument, Reason::FieldInvalid, None, Places::default());
        request.map(Some).ok_or_else(refused)
    }
}
