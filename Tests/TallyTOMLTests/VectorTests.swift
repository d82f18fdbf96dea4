// Every document of toml-test's selection: what is valid is read as its JSON says, what is invalid is refused.
import TallyTOML
import Testing

@Suite struct VectorTests {
  @Test func validDocumentsAreReadAsExpected() throws {
    guard let documents = try Vectors.documents("valid", suite: "TOML valid documents") else { return }
    #expect(documents.count > 50)
    for document in documents {
      do {
        let table = try TOMLDocument.parse(try Vectors.bytes(document))
        guard case .table(let expected) = try Vectors.expected(of: document) else {
          Issue.record("\(document): the JSON is no table")
          continue
        }
        #expect(Expected.equal(expected, table), "\(document): read \(table.entries)")
      } catch {
        Issue.record("\(document): \(error)")
      }
    }
  }

  @Test func invalidDocumentsAreRefusedWithTheirPlace() throws {
    guard let documents = try Vectors.documents("invalid", suite: "TOML invalid documents") else { return }
    #expect(documents.count > 50)
    for document in documents {
      let bytes = try Vectors.bytes(document)
      do throws(TOMLError) {
        let table = try TOMLDocument.parse(bytes)
        Issue.record("\(document): accepted as \(table.entries)")
      } catch {
        let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
        #expect((1...lines.count).contains(error.line) && !error.what.isEmpty, "\(document): \(error)")
        #expect((1...lines[error.line - 1].count + 1).contains(error.column), "\(document): \(error)")
      }
    }
  }
}
