final class AvroFiles { static void write(java.nio.file.Path p) {} }
