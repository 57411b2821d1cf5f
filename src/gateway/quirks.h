#pragma once
// What the tables do not say: rules of single services at the edge, each by name. Pure functions.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wolke/gateway/detect.h"
#include "wolke/identity/sigv4.h"
#include "wolke/net/http.h"
#include "wolke/operation/operation.h"
#include "wolke/shape/protocol.h"

namespace wolke::gateway {

/// "/key" on host photos.s3… is "/photos/key"; "/photos/" is the bucket "/photos".
std::string path_style(std::string_view bucket, std::string_view path);

/// How the service words its authentication errors.
identity::Dialect dialect_of(const shape::Service& service);

/// AssumeRoleWithWebIdentity: the token in its input stands for a signature. nullptr: no operation.
bool needs_no_signature(const shape::Operation* operation);

/// Invoke takes 6 MB (1 MB for events, checked by the service), code uploads 50 MB in base64, S3's
/// documents 8 MB.
std::size_t buffered_body_bytes_max(const shape::Operation* operation);
Error body_too_large(const shape::Operation* operation, std::size_t bytes_max);

/// The request named no operation that the service's model has.
Error unknown_operation(const shape::Service& service, const net::RequestHead& head,
                        const Target& target);

/// S3's documents: Content-MD5 and x-amz-checksum-* must match when sent ("BadDigest",
/// "InvalidDigest", "InvalidRequest"). Of what is streamed only Content-MD5's form is judged.
Result<void> check_digests(const net::HeaderList& headers, std::string_view body, bool streamed,
                           const shape::Operation& operation);

/// Puts what an S3 link carries in its query in place of headers among them: x-amz-*, Content-Type,
/// Content-MD5. SDKs hoist them when they presign, and the signature covers the query. A header
/// that was sent comes first. Checksums are left out, as S3 does: an SDK that presigns knows no
/// body, and writes that of an empty one into the link.
void add_link_headers(const QueryPairs& query, net::HeaderList& headers);
/// x-amz-copy-source in a link's query: the link would put the body where a copy was meant.
Error hoisted_operation();

/// The key that an S3 client brings for its object (SSE-C); empty when there is none, or none that
/// can be used: what is wrong with it is the operation's to say.
std::string customer_key(const net::HeaderList& headers);

/// Request ids as each protocol's SDKs look for them.
void add_common_headers(const shape::Service& service, const std::string& request_id,
                        net::HeaderList& headers);

/// After encoding: header rules of single operations.
void finish_response(const shape::Operation& operation, const operation::Context& context,
                     shape::WireResponse& response);

/// Takes "content-length" out of the headers (a modelled member of HeadObject): the edge sends its
/// own.
std::optional<std::uint64_t> take_content_length(net::HeaderList& headers);

/// A failure inside, worded for the caller: no detail of ours leaves.
Error public_error(const shape::Service* service, Error error);

/// The protocol to answer in when no service was found: awsJson when a target was sent, query for
/// forms, else S3's XML.
const shape::Service& fallback_model(const net::RequestHead& head);

}  // namespace wolke::gateway
