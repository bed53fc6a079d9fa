# Lines from a file to a topic, as they are.
variable "brokers" {}
variable "in" {}
variable "to" {}
variable "state" {}
variable "positions" { # the topic of positions of an exactly-once run
  default = "flow-positions"
}
variable "delivery" {
  default = "at_least_once"
}

connection "kafka" "main" {
  brokers         = [var.brokers]
  positions_topic = var.positions
}

pipeline "to_topic" {
  state_dir = var.state
  delivery  = var.delivery

  input "file" "in" {
    path = var.in
  }
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = var.to
  }
}
