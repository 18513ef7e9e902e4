"""An MQTT client for tests: paho's, which never reconnects by itself and remembers all it hears."""
import socket
import time

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

V311, V5 = paho.MQTTv311, paho.MQTTv5


def properties(packet, **values):
    """Properties of a packet: properties(PacketTypes.PUBLISH, MessageExpiryInterval=3)."""
    made = Properties(packet)
    for name, value in values.items():
        setattr(made, name, value)
    return made


def code(reason):
    """A reason code as a number, in both versions."""
    return getattr(reason, "value", reason)


class Peer:
    """One client with one connection at a time. `keep`: the session outlives the connection. `tls`: an SSL context.

    `connack`, `reason` (of the server's DISCONNECT) and the values of `acks` are numbers; `heard` holds paho's messages.
    """

    def __init__(self, port, client_id="", version=V5, keep=False, user=None, password=None, will=None, tls=None,
                 transport="tcp"):
        self.port, self.version, self.keep = port, version, keep
        session = {} if version == V5 else {"clean_session": not keep}
        self.client = client = paho.Client(client_id, protocol=version, transport=transport, **session)
        if transport == "websockets":
            client.ws_set_options(path="/mqtt")
        if user is not None:
            client.username_pw_set(user, password)
        if will is not None:
            client.will_set(**will)
        if tls is not None:
            client.tls_set_context(tls)
        self.connack = self.reason = None
        self.is_closed = self.session_present = False
        self.acks, self.heard = {}, []
        client.on_connect = self.on_connect
        client.on_disconnect = self.on_disconnect
        client.on_message = lambda _client, _data, message: self.heard.append(message)
        client.on_subscribe = lambda _client, _data, number, reasons, *_: self.acks.update(
            {number: [code(r) for r in reasons]})
        self.take_reasons()

    def take_reasons(self):
        # paho's 1.6 reads the reason of a PUBACK, a PUBREC and a short DISCONNECT, and tells nobody.
        handle = self.client._packet_handle

        def look():
            packet = self.client._in_packet
            kind, body = packet["command"] & 0xF0, packet["packet"]
            if kind in (paho.PUBACK, paho.PUBREC):
                self.acks[int.from_bytes(body[:2], "big")] = body[2] if len(body) > 2 else 0
            elif kind == paho.DISCONNECT:
                self.reason = body[0] if body else 0
            return handle()
        self.client._packet_handle = look

    def on_connect(self, _client, _data, flags, reason, *_):
        self.session_present = bool(flags["session present"])
        self.connack = code(reason)

    def on_disconnect(self, client, *_):
        self.is_closed = True
        client.disconnect()  # otherwise its loop would connect again

    def open(self, clean=None, expect=0):
        """Connects and waits for the CONNACK. `clean`: begins a new session though the peer keeps them."""
        self.connack = self.reason = None
        self.is_closed = False
        if self.version == V5:
            expiry = 3600 if self.keep else 0
            self.client.connect("127.0.0.1", self.port, clean_start=not self.keep if clean is None else clean,
                                properties=properties(PacketTypes.CONNECT, SessionExpiryInterval=expiry))
        else:
            self.client.connect("127.0.0.1", self.port)
        self.client.loop_start()
        self.wait("a CONNACK", lambda: self.connack is not None)
        if self.connack != expect:
            raise AssertionError(f"CONNACK {self.connack:#x}, not {expect:#x}")
        if expect != 0:
            self.wait_closed()
        return self

    def wait(self, what, condition, timeout=10):
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited {timeout} s in vain for {what}")
            time.sleep(0.005)

    def subscribe(self, topic, qos=2, expect=None, options=None):
        """Subscribes and waits for the SUBACK; `expect`: its reason, when it is not the QoS."""
        number = self.client.subscribe(topic, options=options)[1] if options else self.client.subscribe(topic, qos)[1]
        self.wait("a SUBACK", lambda: number in self.acks)
        wanted = [qos if expect is None else expect]
        if self.acks[number] != wanted:
            raise AssertionError(f"SUBACK {self.acks[number]}, not {wanted}")
        return self

    def publish(self, topic, payload=None, qos=1, retain=False, **values):
        """Publishes and waits until it is answered; the reason of the PUBACK or PUBREC, None at QoS 0."""
        given = properties(PacketTypes.PUBLISH, **values) if values else None
        info = self.client.publish(topic, payload, qos, retain, given)
        if qos == 0:
            return None
        self.wait("a PUBACK or PUBREC", lambda: info.mid in self.acks)
        reason = self.acks.pop(info.mid)
        if qos == 2 and reason < 0x80:
            info.wait_for_publish(10)
        return reason

    def payloads(self):
        return [message.payload.decode() for message in list(self.heard)]

    def wait_for(self, count, timeout=10):
        """Waits for so many messages; those heard."""
        self.wait(f"{count} messages; there are {self.payloads()}", lambda: len(self.heard) >= count, timeout)
        return self.payloads()

    def wait_closed(self, timeout=10):
        """Waits until the server ends the connection; the reason of its DISCONNECT, None if it sent none."""
        self.wait("the end of the connection", lambda: self.is_closed, timeout)
        self.stop_loop()
        return self.reason

    def stop_loop(self):
        self.client.loop_stop()
        self.client._reset_sockets(sockpair_only=True)  # the next loop has its own

    def close(self):
        """A proper DISCONNECT."""
        self.client.disconnect()
        self.stop_loop()

    def drop(self):
        """The connection breaks, without a DISCONNECT."""
        self.client.socket().shutdown(socket.SHUT_RDWR)
        self.wait_closed()
