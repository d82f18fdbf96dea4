// Invites, good and bad.
import TallyBase
import TallyCrypto
import TallyWire
import Testing

@testable import TallyGossip

struct InviteTests {
  static let key = keyOf(1)
  static let keyText = KeyText.encode(key)
  static let nonce = "000102030405060708090a0b0c0d0e0f"
  static let meshKey = String(repeating: "ab", count: 32)
  static func url(_ place: String, _ mesh: String = "lab", _ tail: String = "?nonce=\(nonce)#\(meshKey)") -> String {
    "tally://\(keyText)@\(place)/\(mesh)\(tail)"
  }

  @Test(arguments: [
    ("192.0.2.4:8255", "192.0.2.4", 8255), ("192.0.2.4", "192.0.2.4", 8255), ("[2001:db8::1]:1", "2001:db8::1", 1),
    ("[::1]", "::1", 8255), ("seed.example.org:65535", "seed.example.org", 65535), ("kiln:80", "kiln", 80),
    ("1and1.example", "1and1.example", 8255), ("xn--bcher-kva.example", "xn--bcher-kva.example", 8255),
  ])
  func goodPlaces(_ place: String, _ host: String, _ port: Int) throws {
    let invite = try Invite(parsing: Self.url(place))
    #expect(invite.key == Self.key && invite.host == host && Int(invite.port) == port && invite.mesh == "lab")
    #expect(Hex.encode(invite.nonce) == Self.nonce && invite.meshKey == [UInt8](repeating: 0xab, count: 32))
    #expect(try Invite(parsing: invite.url) == invite)
    #expect(try Invite(parsing: " \t\(invite.url)\r\n") == invite)
    #expect(invite.meshID == Names.meshID(name: "lab", nonce: invite.nonce))
  }

  @Test func anOpenMeshHasNoFragmentAndATokenIsOptional() throws {
    let open = try Invite(parsing: Self.url("192.0.2.4", "lab", "?nonce=\(Self.nonce)"))
    #expect(open.meshKey == nil && open.token == nil)
    #expect(open.url == "tally://\(Self.keyText)@192.0.2.4:8255/lab?nonce=\(Self.nonce)")
    let identity = try Identity(seed: seedBytes(1))
    var generator = Generator(seed: .zero, stream: 0)
    let token = InviteToken.issue(
      mesh: open.meshID, expires: 1_800_000_000, identity: identity, generator: &generator)
    let invite = try Invite(parsing: Self.url("192.0.2.4", "lab", "?token=\(token.text)&nonce=\(Self.nonce)"))
    #expect(try InviteToken(text: invite.token ?? "") == token)
    #expect(token.isSigned(mesh: open.meshID) && !token.isSigned(mesh: MeshID(raw: .zero)))
    #expect(token.encoded.count == 121 && token.text.utf8.count == 162)
    #expect(open.seed == Seed(key: Self.key, endpoint: Endpoint("192.0.2.4:8255")!))
    for index in token.encoded.indices {
      var bytes = token.encoded
      bytes[index] ^= 1
      do {
        let forged = try InviteToken(decoding: bytes)
        #expect(!forged.isSigned(mesh: open.meshID))
      } catch { #expect(index == 0) }
    }
  }

  @Test(arguments: [
    ("", InviteError.scheme), ("http://x", .scheme), ("tally:/x", .scheme), ("TALLY://x", .scheme),
    (url("192.0.2.4:0"), .port), (url("192.0.2.4:65536"), .port), (url("192.0.2.4:"), .port), (url("kiln:08"), .port),
    (url("kiln:+8"), .port), (url("kiln:8x"), .port), (url(""), .host), (url("2001:db8::1"), .host),
    (url("[2001:db8::1"), .host), (url("[192.0.2.4]"), .host), (url("[::1]8"), .host), (url("192.0.2.256"), .host),
    (url("-kiln"), .host), (url("kiln-"), .host), (url("a..b"), .host), (url("Kiln"), .host), (url("0.0.0.0"), .host),
    (url("kiln", ""), .mesh), (url("kiln", "LAB"), .mesh), (url("kiln", "-lab"), .mesh),
    (url("kiln", "a/b"), .mesh), (url("kiln", String(repeating: "x", count: 64)), .mesh),
    ("tally://\(keyText)@kiln?nonce=\(nonce)", .mesh), ("tally://\(keyText)/lab?nonce=\(nonce)", .key),
    ("tally://x@kiln/lab?nonce=\(nonce)", .key), ("tally://\(keyText)q@kiln/lab?nonce=\(nonce)", .key),
    (url("kiln", "lab", ""), .nonce), (url("kiln", "lab", "?nonce="), .nonce), (url("kiln", "lab", "?nonce=00"), .nonce),
    (url("kiln", "lab", "?nonce=" + nonce.uppercased()), .nonce), (url("kiln", "lab", "?token=AA"), .nonce),
    (url("kiln", "lab", "?nonce=\(nonce)&nonce=\(nonce)"), .parameter("nonce")),
    (url("kiln", "lab", "?nonce=\(nonce)&x=1"), .parameter("x")), (url("kiln", "lab", "?nonce"), .parameter("nonce")),
    (url("kiln", "lab", "?nonce=\(nonce)&token="), .token), (url("kiln", "lab", "?nonce=\(nonce)&token=A+"), .token),
    (url("kiln", "lab", "?nonce=\(nonce)&token=AB"), .token), (url("kiln", "lab", "?nonce=\(nonce)#"), .meshKey),
    (url("kiln", "lab", "?nonce=\(nonce)#" + meshKey.uppercased()), .meshKey),
    (url("kiln", "lab", "?nonce=\(nonce)#\(meshKey)00"), .meshKey), (url("ki ln"), .text), (url("kilñ"), .text),
    (url("kiln") + String(repeating: "a", count: 1024), .text), (url("ki\u{0}ln"), .text),
  ])
  func badInvites(_ text: String, _ expected: InviteError) {
    #expect(throws: expected) { try Invite(parsing: text) }
    #expect(!expected.sentence.isEmpty)
  }

  @Test(arguments: ["", "f", "fo", "foo", "foob", "fooba", "foobar"])
  func base64urlRoundTrips(_ text: String) {
    #expect(Base64URL.decode(Base64URL.encode(Array(text.utf8))) == Array(text.utf8))
  }

  @Test func base64urlIsThatOfTheRFC() {
    #expect(Base64URL.encode(Array("foobar".utf8)) == "Zm9vYmFy" && Base64URL.encode([0xfb, 0xff]) == "-_8")
    #expect(Base64URL.decode("Zm9v=") == nil && Base64URL.decode("A") == nil && Base64URL.decode("-_9") == nil)
  }
}
