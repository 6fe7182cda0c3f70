"""Who somebody is and what they may do: names, accounts or OpenID Connect; sessions, roles, work teams, keys."""
