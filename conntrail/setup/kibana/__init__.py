"""What people see in Kibana: data views, searches and dashboards, made from the YAML in source/."""
