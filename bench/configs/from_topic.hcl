# Records from a topic to lines of a file, as they are.
variable "brokers" {}
variable "from" {}
variable "group" {}
variable "out" {}
variable "state" {}
variable "until" {
  default = "end"
}

connection "kafka" "main" {
  brokers = [var.brokers]
}

pipeline "from_topic" {
  state_dir = var.state

  input "kafka" "in" {
    connection = connection.kafka.main
    topics     = [var.from]
    group      = var.group
    until      = var.until
  }
  output "file" "out" {
    path = var.out
  }
}
