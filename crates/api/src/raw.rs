//! Calls by path, with messages as bytes: for those who know a call only from the descriptor set.

use bytes::{Buf as _, BufMut as _, Bytes};
use http::uri::PathAndQuery;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Request, Status};

use crate::connection::Connection;
use crate::rejection::Rejection;

/// Messages as they are.
#[derive(Clone, Copy, Debug, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

impl Connection {
    /// Sends one message to the call at `path` and answers the first message that comes back, nothing where none does.
    pub async fn raw(
        &self,
        path: &str,
        message: impl Into<Bytes>,
    ) -> Result<Option<Bytes>, Rejection> {
        let path = PathAndQuery::try_from(path)
            .map_err(|_| Status::invalid_argument("a path is /package.Service/Method"))?;
        let mut client = tonic::client::Grpc::new(self.channel());
        client.ready().await.map_err(|error| Status::from_error(error.into()))?;
        let messages = tokio_stream::iter([message.into()]);
        let answers = client.streaming(Request::new(messages), path, Raw).await?;
        Ok(answers.into_inner().message().await?)
    }
}
