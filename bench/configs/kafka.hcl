# The map of map.hcl from topic to topic.
variable "brokers" {}
variable "from" {}
variable "to" {}
variable "group" {}
variable "more" { # 99 drops half of the orders, 0 drops none
  type    = number
  default = 99
}
variable "delivery" {
  default = "at_least_once"
}

connection "kafka" "main" {
  brokers = [var.brokers]
}

pipeline "kafka" {
  delivery = var.delivery

  input "kafka" "in" {
    connection = connection.kafka.main
    topics     = [var.from]
    group      = var.group
    until      = "end"
  }
  processor "filter" "paid" {
    where = "value.status == 'paid' || value.quantity > var.more"
  }
  processor "map" "shape" {
    rename = { order_id = "id" }
    set = {
      total           = "value.price * value.quantity"
      "customer.card" = "'****' + value.customer.card[-4:]"
    }
  }
  output "kafka" "out" {
    connection = connection.kafka.main
    topic      = var.to
    create_topics {
      partitions = 2
    }
  }
}
