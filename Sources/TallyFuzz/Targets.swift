// Owns: the list of fuzz targets. Refuses to know: how inputs are made.

public enum FuzzTargets {
  public static let names: [String] = []
}
