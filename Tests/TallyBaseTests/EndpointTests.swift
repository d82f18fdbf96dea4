// Owns: the text, scopes and groups of addresses.

import TallyBase
import Testing

@Suite("Addresses")
struct EndpointTests {
  @Test func textGoesThereAndBack() {
    for text in [
      "0.0.0.0", "192.0.2.4", "255.255.255.255", "::", "::1", "1::", "2001:db8::1", "2001:db8:0:1:1:1:1:1",
      "1:2:3:4:5:6:7:8", "fe80::1", "1:0:0:2::3", "::2:3:4:5:6:7:8",
    ] {
      #expect(Address(text)?.description == (text == "::2:3:4:5:6:7:8" ? "0:2:3:4:5:6:7:8" : text), "\(text)")
    }
    #expect(Address("::ffff:192.0.2.4") == Address("192.0.2.4"))
    #expect(Address("64:ff9b::192.0.2.4") == Address("64:ff9b::c000:204"))
    #expect(Address("2001:DB8::A") == Address("2001:db8::a"))
  }

  @Test func otherTextIsRefused() {
    for text in [
      "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.-4", "1.2.3.4 ", "host", ":", ":::", "1:2", "1::2::3",
      "12345::", "::1%eth0", "1:2:3:4:5:6:7:8:9", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8::", "::1.2.3", "1.2.3.4::",
      "+1::", "g::", "1:2:3:4:5:6:7:1.2.3.4",
    ] {
      #expect(Address(text) == nil, "\(text)")
    }
  }

  @Test func endpointsHaveAPort() {
    #expect(Endpoint("192.0.2.4:8255")?.description == "192.0.2.4:8255")
    #expect(Endpoint("[2001:db8::1]:8255")?.description == "[2001:db8::1]:8255")
    for text in [
      "", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:+1", "::1:8255", "[1.2.3.4]:1", "[::1]", "[::1]8255",
      "host:1", "1.2.3.4: 1",
    ] {
      #expect(Endpoint(text) == nil, "\(text)")
    }
  }

  @Test func scopesDoNotMix() {
    let scopes: [(String, Address.Scope)] = [
      ("127.0.0.1", .loopback), ("::1", .loopback), ("10.1.2.3", .local), ("172.16.0.1", .local),
      ("172.31.255.1", .local), ("172.32.0.1", .global), ("192.168.1.1", .local), ("169.254.1.1", .local),
      ("100.64.0.1", .carrier), ("100.127.255.255", .carrier), ("100.128.0.1", .global), ("8.8.8.8", .global),
      ("0.0.0.0", .none), ("224.0.0.1", .none), ("255.255.255.255", .none), ("::", .none), ("ff02::1", .none),
      ("fe80::1", .local), ("fc00::1", .unique), ("fd12::1", .unique), ("2001:db8::1", .global),
    ]
    for (text, scope) in scopes { #expect(Address(text)?.scope == scope, "\(text)") }
  }

  @Test func groupsAreOneOperatorsBlock() {
    #expect(Address("192.0.2.4")?.group == Address("192.0.2.0"))
    #expect(Address("2001:db8:1:2::3")?.group == Address("2001:db8:1::"))
    #expect(Address("127.0.0.1")?.group != Address("127.0.0.2")?.group)
  }
}
