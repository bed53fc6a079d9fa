final class AvroCases { static void answer(com.fasterxml.jackson.databind.JsonNode c, com.fasterxml.jackson.databind.node.ObjectNode r) {} }
