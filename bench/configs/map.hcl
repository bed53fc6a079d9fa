# Half of the orders dropped, one member renamed, one computed, one masked.
variable "in" {}
variable "out" {}
variable "state" {}
variable "workers" {
  type    = number
  default = 0
}

pipeline "map" {
  state_dir = var.state
  workers   = var.workers

  input "file" "in" {
    path = var.in
  }
  processor "filter" "paid" {
    where = "value.status == 'paid'"
  }
  processor "map" "shape" {
    rename = { order_id = "id" }
    set = {
      total           = "value.price * value.quantity"
      "customer.card" = "'****' + value.customer.card[-4:]"
    }
  }
  output "file" "out" {
    path = var.out
  }
}
