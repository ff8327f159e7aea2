"""How often a model that holds is called worse, when somebody looks again and again, and how soon a change is found."""
