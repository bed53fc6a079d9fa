# A stage with much to compute, to see what a second worker gives.
variable "in" {}
variable "out" {}
variable "state" {}
variable "workers" {
  type    = number
  default = 0
}

pipeline "workers" {
  state_dir = var.state
  workers   = var.workers

  input "file" "in" {
    path = var.in
  }
  processor "map" "hash" {
    set = {
      "customer.email" = "sha256(value.customer.email)"
      "customer.card"  = "sha256(value.customer.card)"
      trace            = "sha512(sha512(value.internal.trace + value.order_id) + sha512(value.customer.name))"
      pairs            = "sum(map(1..20, # * value.quantity))"
      total            = "value.price * value.quantity"
    }
    remove = ["internal"]
  }
  output "file" "out" {
    path = var.out
  }
}
