# flow's main job on an embedded broker. `make demo` makes the orders and runs
# this file: orders from a file into a topic, out of the topic through a
# filter, a map and a router into two files, and what fails into a third one.

variable "min_amount" {
  type        = number
  default     = 100
  description = "Orders below this total are left out."
}

connection "kafka" "main" {
  # A broker of the Kafka protocol inside this process, its data in this
  # folder. For a cluster write instead: brokers = ["localhost:9092"]
  embedded = "demo/kafka"
}

function "mask_card" {
  params = ["card"]
  result = "'****' + card[-4:]"
}

# Orders go into the topic as they are: whoever needs them later finds
# everything.
pipeline "load" {
  input "file" "orders" {
    path = "demo/orders.jsonl"
  }

  output "kafka" "orders" {
    connection = connection.kafka.main
    topic      = "orders"

    # Makes the topic in a cluster that does not have it.
    create_topics {}
  }
}

pipeline "shape" {
  after = ["load"]

  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "shape"
    until      = "end" # leave this line out to go on for ever
  }

  processor "filter" "paid" {
    where = "value.status == 'paid' && value.price * value.quantity >= var.min_amount"
  }

  processor "map" "shape" {
    rename = { order_id = "id" }
    remove = ["internal"]
    set = {
      total           = "roundTo(value.price * value.quantity, 2)"
      "customer.card" = "mask_card(value.customer.card)"
    }
    key = "value.order_id"
  }

  processor "route" "region" {
    case "asia" {
      when = "value.customer.country in ['KR', 'JP', 'IN']"
    }
  }

  output "file" "asia" {
    from = [processor.region.asia]
    path = "demo/asia.jsonl"
  }

  # What no case of the router holds for.
  output "file" "others" {
    from = [processor.region]
    path = "demo/others.jsonl"
  }

  # Records that cannot be read or computed: nothing is dropped in silence.
  output "file" "failed" {
    from   = [errors]
    path   = "demo/failed.jsonl"
    format = "envelope"
  }
}
