#pragma once

#include "codec/mqtt/byte_reader.h"
#include "codec/mqtt/packet.h"

namespace ficus::mqtt {

// What follows the fixed header, one function a packet. `reader` covers exactly that packet; a
// fault stays in it. Internal to this folder: the session packets are in connect_decoder.cc, the
// others in decoder.cc.
void read_connect(ByteReader& reader, Connect& connect);
void read_connack(ByteReader& reader, ProtocolVersion version, Connack& connack);
void read_disconnect(ByteReader& reader, ProtocolVersion version, Disconnect& disconnect);
void read_auth(ByteReader& reader, Auth& auth);

// A reason code of MQTT 5.0 that the packet may carry.
ReasonCode read_reason(ByteReader& reader, PacketType type);

}  // namespace ficus::mqtt
